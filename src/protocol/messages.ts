/**
 * The `unhang/*` messages, sent beside LSP on the same connection: their types, for host and clients. Types alone come
 * from the schemas, so that a client does not load zod.
 */
import type * as z from 'zod'
import type { initializationOptionsSchema } from './initialization'
import type { requests, rescueActionSchema, shutdownTargetSchema, watchOptionsSchema } from './requests'
import type { ShutdownReportWire } from './results'
import type { PoolVerdictSnapshot } from './snapshot'

/** Raised when a message changes its shape; a client and a host of different versions refuse each other by it. */
export const protocolVersion = 1

/**
 * Error codes of our own, outside the ranges that JSON-RPC and LSP reserve. Parameters of the wrong shape are answered
 * with JSON-RPC's own -32602.
 */
export const errorCodes = {
  /** A definition that cannot run; data is `LaunchErrorData`. */
  launch: 1001,
  /** No pool, worker or task of that id (it may have been removed). */
  notFound: 1002,
  /** Not possible in the pool's or task's present state. */
  wrongState: 1003,
} as const

/** `initializationOptions` of the LSP handshake. */
export type InitializationOptions = z.infer<typeof initializationOptionsSchema>

/** What to shut down: a pool, a worker, a task, or a class of them. */
export type ShutdownTargetParams = z.infer<typeof shutdownTargetSchema>

/** How a program is watched; an absent option takes the host's default. */
export type WatchOptions = z.infer<typeof watchOptionsSchema>

/** One thing that a rescue can do to a pool of a watched program. */
export type RescueAction = z.infer<typeof rescueActionSchema>

type RequestTable = typeof requests

/** The method of a request: `unhang/rescue`. */
export type RequestMethod = keyof RequestTable

/** The parameters that a client sends with a request. */
export type ParamsOf<M extends RequestMethod> = z.input<RequestTable[M]['params']>

/** The parameters of a request once the host has checked them: defaults are filled in. */
export type CheckedParamsOf<M extends RequestMethod> = z.output<RequestTable[M]['params']>

/** The result of a request; null where it only confirms that the request is done. */
export type ResultOf<M extends RequestMethod> = Exclude<RequestTable[M]['result']['type'], undefined>

/** After any shutdown, whichever client asked for it. */
export interface ShutdownDone {
  askedBy: string
  reason: string
  report: ShutdownReportWire
}

/**
 * When the `onStuck` of a watched program acts. It is sent before the first signal, so that the client that started the
 * program knows of it when the host answers to the program's end.
 */
export interface PolicyActed {
  programId: string
  /** Id and name of the program, or of the pool in it, that is stuck. */
  poolId: string
  name: string
  onStuck: 'terminate' | 'kill' | 'retry'
  /** `retry` reports `retried`, with the actions taken, and once `gaveUp`, with the actions that did not help. */
  outcome: 'ends' | 'retried' | 'gaveUp'
  what: string[]
  /** The verdicts that made it act. */
  verdicts: PoolVerdictSnapshot[]
}

/** Output in order; `dropped` bytes were left out because the client read too slowly (the files have them). */
export interface Output {
  poolId: string
  chunks: { worker: string; taskId: string | null; stream: 'stdout' | 'stderr'; text: string }[]
  dropped: number
}

/** Every notification from the host, by its method on the wire. */
export interface Notifications {
  /** The state has this revision now; sent at most four times a second. */
  'unhang/changed': { rev: number }
  'unhang/shutdownDone': ShutdownDone
  'unhang/policyActed': PolicyActed
  'unhang/output': Output
}
