import type { ProcessState } from '../../processes'

/**
 * What was seen of a task that has been running for a while; everything a rule may rest on. Durations in milliseconds.
 */
export interface RunningTaskFacts {
  readonly label: string
  readonly worker: string
  readonly pid: number
  readonly ageMs: number
  readonly stuckAfterMs: number
  /** How long the task has been looked at without a sign of movement (CPU time or output). */
  readonly quietMs: number
  /** CPU time of the worker and its descendants since it was first looked at. */
  readonly cpuMs: number
  readonly watchedMs: number
  /** Bytes on stdout and stderr since it was first looked at. */
  readonly outputBytes: number
  readonly state: ProcessState
  /** How many looks in a row saw this state; one look at state D proves nothing. */
  readonly stateSeenTimes: number
  readonly descendants: readonly { readonly pid: number; readonly command: string; readonly state: ProcessState }[]
  /** It was asked to end by SIGTERM, and did not: what was foreseen about that (`ignores SIGTERM`). */
  readonly survivedTerminate: readonly string[] | null
}

/** How a worker ended with a task in flight. */
export interface LostTaskFacts {
  readonly label: string
  readonly worker: string
  readonly pid: number
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly elapsedMs: number
  /** Our own shutdown that explains the exit, from the kill ledger; null when we sent nothing. */
  readonly endedByUs: { readonly askedBy: string; readonly reason: string } | null
  /** The uncaught error the worker reported before it went, if any. */
  readonly uncaught: string | null
}

/** How the workers of a pool that cannot start ended. */
export interface CrashLoopFacts {
  readonly pool: string
  readonly startsInARow: number
  /** `exit 1`, `exit -11 (SIGSEGV)`, newest last. */
  readonly exits: readonly string[]
  readonly loadError: string | null
  readonly stderrTail: string
}

/** A result that could not be cloned, and what the clone algorithm said. */
export interface UnserializableFacts {
  readonly label: string
  readonly detail: string
}

/** A worker whose pool's host is gone. */
export interface OrphanFacts {
  readonly worker: string
  readonly pid: number
  readonly poolName: string
  readonly hostPid: number
}
