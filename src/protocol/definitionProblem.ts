/** The kind of a {@link DefinitionProblem}. */
export type ProblemCode =
  /** A key that a pool task does not have. */
  | 'unknown-key'
  /** Two keys that exclude each other. */
  | 'conflict'
  | 'missing'
  | 'wrong-type'
  | 'out-of-range'
  /** The file, folder, program or task that a value names does not exist. */
  | 'not-found'
  /** A `${variable}` that cannot be resolved here. */
  | 'unresolved-variable'
  /** A file that is there but cannot be read as what it should be. */
  | 'unreadable'
  /** An item would be read as code. */
  | 'unsafe'

/** Why a definition cannot run, with the place and the remedy. */
export interface DefinitionProblem {
  readonly path: readonly (string | number)[]
  readonly code: ProblemCode
  /** Names the key and the remedy. */
  readonly message: string
}

/** A path in its usual notation: `items.glob`, `command[0]`. */
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
