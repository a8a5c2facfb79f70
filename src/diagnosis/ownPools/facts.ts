import type { ProcessState } from '../../processes'

/** What was measured of a task that has been running for a while: the input of the rules. Durations in milliseconds. */
export interface RunningTaskFacts {
  readonly label: string
  readonly worker: string
  readonly pid: number
  readonly ageMs: number
  readonly stuckAfterMs: number
  /** How long no sample has shown movement (CPU time or output). */
  readonly quietMs: number
  /** CPU time of the worker and its descendants since the first sample. */
  readonly cpuMs: number
  /** Since the first sample. */
  readonly watchedMs: number
  /** Bytes on stdout and stderr since the first sample. */
  readonly outputBytes: number
  readonly state: ProcessState
  /** Number of consecutive samples with this state; a single sample in state D proves nothing. */
  readonly stateSeenTimes: number
  readonly descendants: readonly { readonly pid: number; readonly command: string; readonly state: ProcessState }[]
  /** After a SIGTERM without effect: the notes made before it (`ignores SIGTERM`). Null: none was sent. */
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
  /** The uncaught error that the worker reported before its end, if any. */
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

/** A result that could not be cloned, with the error of the clone algorithm. */
export interface UnserializableFacts {
  readonly label: string
  readonly detail: string
}

/** A process of a pool whose host is gone. */
export interface OrphanFacts {
  readonly worker: string
  readonly pid: number
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** The worker that started the process; null when it is a worker. */
  readonly leftBy: string | null
}
