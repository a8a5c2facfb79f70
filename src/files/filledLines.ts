import { closeSync, readSync } from 'node:fs'
import { openForeignFile } from './foreignFile'
import { FileRefusedError } from './refused'

/**
 * A line is one item, so it should be readable; a file without line feeds (minified JSON, a disk image) is no list.
 */
export const longestLineBytes = 1024 * 1024
/** Passed over in one step, without an item: some hundredths of a second. */
const mostEmptyLines = 100_000
/** Read at a time. */
const lineChunkBytes = 64 * 1024
const newline = 10
const carriageReturn = 13

/**
 * The lines of a file that are not empty, without their line ends, read as they are taken: the memory is bounded by one
 * line. Synchronous, as a pool takes its items: one short read for every 64 KiB, and never more than {@link
 * longestLineBytes} for one line.
 * @throws {@link FileRefusedError} when it is no regular file, or has a longer line
 */
export function* filledLines(path: string): Generator<string> {
  const { descriptor } = openForeignFile(path)
  try {
    const buffer = Buffer.allocUnsafe(lineChunkBytes)
    const guard = new LineGuard(path)
    let begun: Buffer[] = []
    for (;;) {
      const length = readSync(descriptor, buffer)
      if (length === 0) break
      const chunk = buffer.subarray(0, length)
      let start = 0
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        const text = textOf([...begun, chunk.subarray(start, end)])
        begun = []
        guard.passed(end - start, text !== '')
        start = end + 1
        if (text !== '') yield text
      }
      if (start < length) {
        begun.push(Buffer.from(chunk.subarray(start)))
        guard.passed(length - start, undefined)
      }
    }
    const text = textOf(begun)
    if (text !== '') yield text
  } finally {
    closeSync(descriptor)
  }
}

/** Notices what would be read for long without an item: one line without an end, or nothing but empty ones. */
export class LineGuard {
  readonly #path: string

  #line = 1
  #bytes = 0
  #empty = 0

  constructor(path: string) {
    this.#path = path
  }

  /** @param filled Undefined: the line goes on. @throws {@link FileRefusedError} */
  passed(bytes: number, filled: boolean | undefined): void {
    this.#bytes += bytes
    if (this.#bytes > longestLineBytes)
      throw new FileRefusedError(
        this.#path,
        `has no line feed in more than ${longestLineBytes} bytes, at line ${this.#line}. Write one item a line`,
      )
    if (filled === undefined) return
    this.#line += 1
    this.#bytes = 0
    this.#empty = filled ? 0 : this.#empty + 1
    if (this.#empty > mostEmptyLines)
      throw new FileRefusedError(
        this.#path,
        `has more than ${mostEmptyLines} empty lines in a row, before line ${this.#line}. Leave them out`,
      )
  }
}

function textOf(parts: readonly Buffer[]): string {
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  return bytes.toString('utf8', 0, bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length)
}
