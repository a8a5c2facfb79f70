/** What a reader thread is asked for. Paths are absolute. */
export type ReadRequest =
  /** Paths of the files that match, relative to `cwd`, sorted. */
  | {
      readonly kind: 'glob'
      readonly patterns: string | readonly string[]
      readonly cwd: string
      readonly mostEntries: number
    }
  /** The number of lines that are not empty, once every line is found short enough. */
  | { readonly kind: 'lines'; readonly path: string }
  /** Only whether it could be read. */
  | { readonly kind: 'open'; readonly path: string }
  /** The elements of a JSON array, each as its text. */
  | { readonly kind: 'json'; readonly path: string; readonly mostBytes: number }
  /** The whole of a file that is read as text. */
  | { readonly kind: 'text'; readonly path: string; readonly mostBytes: number }
  /** Single lines of source files, by number from 1; what cannot be read is left out. */
  | {
      readonly kind: 'sources'
      readonly wanted: readonly { readonly path: string; readonly lines: readonly number[] }[]
    }

/** Its answer, or why there is none. */
export type ReadAnswer =
  /**
   * Paths joined by NUL, which no path can contain: one text crosses to the other thread a hundred times faster than an
   * array.
   */
  | { readonly kind: 'glob'; readonly paths: string }
  | { readonly kind: 'lines'; readonly total: number }
  | { readonly kind: 'open' }
  /** The texts in UTF-8, one behind the other, and where each ends. */
  | { readonly kind: 'json'; readonly texts: Uint8Array<ArrayBuffer>; readonly ends: Uint32Array<ArrayBuffer> }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'sources'
      readonly found: readonly {
        readonly path: string
        readonly lines: readonly { readonly number: number; readonly text: string }[]
      }[]
    }
  | ReadFault

export interface ReadFault {
  readonly kind: 'fault'
  readonly fault:
    /** There is no such file. */
    | 'missing'
    /** It is there and cannot be read, or is refused. */
    | 'unreadable'
    /** More than is read: bytes, entries, depth, memory. */
    | 'too-large'
    /** It took too long. */
    | 'too-long'
    | 'no-json'
    | 'no-array'
    /** Nobody wants the answer any more. */
    | 'aborted'
  /** Ends a sentence that begins with what was read. */
  readonly reason: string
}
