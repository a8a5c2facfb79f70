/** The kind of a {@link DefinitionProblem}. */
export type ProblemCode =
  /** A key that means nothing here. */
  | 'unknown-key'
  /** Two keys that exclude each other. */
  | 'conflict'
  | 'missing'
  | 'wrong-type'
  | 'out-of-range'
  /** What a value names (a file, a folder, a program, a task) is not there. */
  | 'not-found'
  /** A `${variable}` that cannot be resolved here. */
  | 'unresolved-variable'
  /** A file that is there but cannot be read as what it should be. */
  | 'unreadable'
  /** An item would be read as code. */
  | 'unsafe'

/** Why a definition cannot run: where, and what to write instead. */
export interface DefinitionProblem {
  readonly path: readonly (string | number)[]
  readonly code: ProblemCode
  /** Names the key and says what to write instead. */
  readonly message: string
}

/** `items.glob`, `command[0]`: a path as people write it. */
export function keyOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (key, part) => (typeof part === 'number' ? `${key}[${part}]` : key === '' ? part : `${key}.${part}`),
    '',
  )
}

/** A value as it stands in the file, cut short. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
