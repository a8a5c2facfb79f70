import { baseName, interpreterKind } from '../../processes'

/** One argument of a command, as the program gets it. */
export interface Word {
  /** With `${item}` and all other expansions as they were written. */
  readonly text: string
  /** The item itself is in it. What a command makes of the item (`$(basename ${item})`) is not the item. */
  readonly holdsItem: boolean
}

/**
 * Language in which an argument is read. `joined`: a shell reads all arguments from there on as one script.
 * `arithmetic` and `name`: bash calculates with it, or looks for a variable of that name; in the subscript of an array
 * it runs commands (`a[$(touch x)]`).
 */
export type Language =
  'shell' | 'joined' | 'eval' | 'trap' | 'arithmetic' | 'name' | 'python' | 'node' | 'perl' | 'ruby' | 'awk' | 'other'

/** An argument that a program reads as code. */
export interface CodeArgument {
  readonly index: number
  readonly language: Language
  /** Index of the word that names the program that reads it. */
  readonly reader: number
  /**
   * Arguments may be added behind the last one; not so where options or another program give them a meaning (`perl
   * -ne`, `find -exec`).
   */
  readonly plain: boolean
}

/** What a command reads as code: some of its arguments, or its standard input. */
export interface CodeReading {
  readonly arguments: readonly CodeArgument[]
  /** Index of the word that names the program that reads code from its standard input. */
  readonly input: number | undefined
}

/** How to read on where a command begins: `codeReading`, which the readings of single programs cannot import. */
export type ReadCode = (words: readonly Word[], at: number) => CodeReading

/** No argument is code. */
export const nothing: CodeReading = { arguments: [], input: undefined }

/** `/usr/bin/python3.11` → `python`; undefined where only the run decides it (`$PROGRAM`). */
export function programName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (/^\$(?:SHELL|\{SHELL(?::-[\w/]*)?\}|0)$/.test(text)) return 'sh'
  if (/[$`*?]/.test(text)) return undefined
  const name = baseName(text)
    .toLowerCase()
    .replace(/\.exe$/, '')
  return interpreterKind(name) ?? name.replace(/^(perl|ruby|lua|php)-?[\d.]+$/, '$1')
}

/** One argument that is code, if it is there. */
export function codeAt(
  words: readonly Word[],
  index: number,
  language: Language,
  reader: number,
  plain: boolean,
): CodeReading {
  return index < words.length ? { arguments: [{ index, language, reader, plain }], input: undefined } : nothing
}

/** All arguments from one on are code. */
export function everyArgument(words: readonly Word[], reader: number, language: Language, from: number): CodeReading {
  return {
    arguments: words.slice(from).map((_, index) => ({ index: from + index, language, reader, plain: true })),
    input: undefined,
  }
}

/** The same code, where an added argument would mean something else. */
export function notPlain(code: CodeArgument): CodeArgument {
  return { ...code, plain: false }
}

/** The arguments as plain text, for the parsers of command lines. */
export function textsOf(words: readonly Word[]): string[] {
  return words.map(({ text }) => text)
}
