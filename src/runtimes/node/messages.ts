import type { PackedThrown } from './thrown'

/** Payload of `init`. */
export interface InitMessage {
  /** Absolute path. */
  readonly module: string
}
/** Payload of `run`. */
export interface RunMessage {
  readonly fn: string
  /** Absolute path of another module than the pool's, or null. */
  readonly module: string | null
  /** False: only whether it worked matters, the value stays in the worker. */
  readonly keepResult: boolean
  /** An array, or one that was serialized when the task was handed in. */
  readonly args: readonly unknown[] | Buffer
}
/** Payload of `loadFailed`, `threw` and `uncaught`. */
export type ThrownMessage = PackedThrown
/** Payload of `unserializable`: what the clone algorithm said. */
export type UnserializableMessage = string
