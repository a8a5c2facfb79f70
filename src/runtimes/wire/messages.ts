import type { PackedThrown } from './thrown'

/** A function of the pool's module, or (`module` not null) of another one; payload of `define` (JSON). */
export interface FunctionReference {
  readonly module: string | null
  readonly name: string
}
/** Payload of `init`; a structured clone for Node, JSON for Python. */
export interface InitMessage {
  /** Absolute path, or Python's dotted name. */
  readonly module: string
  /** What 'default' means in a Python module; null: its only function. */
  readonly defaultExport: string | null
  readonly initializer: FunctionReference | null
  readonly initargs: readonly unknown[]
  /** A worker that has more than this after a task takes no other one. */
  readonly maxMemoryBytes: number | null
}
/** Payload of `loadFailed`, `threw` and `uncaught`. */
export type ThrownMessage = PackedThrown
/** Payload of `unserializable` (JSON): where inside of the result, and what the clone algorithm said. */
export interface UnserializableMessage {
  readonly path: string
  readonly detail: string
}
