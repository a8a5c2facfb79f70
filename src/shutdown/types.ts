import type { ProcessIdentity, SignalOutcome } from '../processes'

/** One worker to end. */
export interface ShutdownTarget {
  readonly identity: ProcessIdentity
  /** Shown in the report and in issues, e.g. `PoolWorker-2`. */
  readonly name: string
  /** Closes the worker's channel so that it may finish up; absent for workers that have none (commands). */
  readonly ask?: () => void
  /**
   * Value of `UNHANG_WORKER` in the worker's environment, different for each worker. It finds descendants that were
   * re-parented; once the worker itself is gone nothing else does.
   */
  readonly marker?: string
  /**
   * Who is ended when, where that matters (default 0): lower ranks are through their wait before higher ones are signalled, so that
   * workers are gone before the program that made them. Rank 2 comes after everything else, descendants too, and only for what has
   * not left by itself by then: a fork server, or the resource tracker, which cleans up after the others. SIGKILL ends ranks 0
   * and 1 at once.
   */
  readonly rank?: 0 | 1 | 2
  /**
   * Settles when our own child was collected (Node's `exit` event). Its end is then noticed at once, and the shutdown
   * gives Node a moment to collect it, so that the caller has seen the exit when the report arrives.
   */
  readonly exited?: Promise<unknown>
}

/** A worker that is gone, and may have left something behind. */
export interface FormerWorker {
  readonly identity: ProcessIdentity
  readonly name: string
  readonly marker: string
}

/** One step of a custom escalation, as GNU parallel's --termseq: send, then wait at most `waitMs`. */
export interface TermStep {
  readonly signal: NodeJS.Signals
  readonly waitMs: number
}

/** Who asked for a shutdown, for the kill ledger and the log. */
export type ShutdownActor = 'user' | 'timeout' | 'policy' | 'api' | 'cli' | 'preemption' | 'deactivate' | 'host'

/** What a shutdown is about. */
export interface ShutdownSubject {
  readonly id: string
  readonly name: string
  /** A shutdown of one worker says nothing of its pool. Default `pool`. */
  readonly kind?: 'pool' | 'worker'
}

export interface ShutdownRequest {
  /** What is being shut down, for the report: a pool's id and name, or a worker's. */
  readonly subject: ShutdownSubject
  readonly targets: readonly ShutdownTarget[]
  /**
   * Workers of the pool that have exited before, each with its marker. They are not reported, but what they left running is
   * part of the pool, and is ended with it.
   */
  readonly formerWorkers?: readonly FormerWorker[]
  /** Called synchronously, before anything else: from then on nobody may be respawned. */
  readonly stopRefill?: () => void
  /** Upper bound of each pass, milliseconds; Keras' 0.1 s by default. */
  readonly gracePeriodMs: number
  /** Add a SIGKILL pass after SIGTERM. */
  readonly useSigkill: boolean
  /** Straight to SIGKILL (`kill()`); implies `useSigkill`. */
  readonly kill?: boolean
  /** Replaces the SIGTERM and SIGKILL passes. */
  readonly termSequence?: readonly TermStep[]
  readonly reason: string
  readonly askedBy: ShutdownActor
}

/** How one process ended, or did not. */
export type ShutdownOutcome =
  /** Gone before any signal. */
  | 'already-gone'
  /** Left by itself after it was asked. */
  | 'exited'
  /** Gone after SIGTERM (or a term sequence without SIGKILL). */
  | 'terminated'
  /** Gone after SIGKILL. */
  | 'killed'
  /** Still there after every pass that was allowed. */
  | 'alive'
  /** In state D with SIGKILL pending: nothing more can be done from here. */
  | 'unkillable'
  /** Dead, but its parent has not collected it. */
  | 'zombie'
  /** The kernel refused the signal. */
  | 'denied'

export interface ShutdownWorkerReport {
  readonly name: string
  readonly pid: number
  /** True for what the worker left behind: its descendants. */
  readonly descendantOf?: string
  readonly sent: readonly { readonly signal: NodeJS.Signals; readonly atMs: number; readonly outcome: SignalOutcome }[]
  /** What was known before the first signal: `ignores SIGTERM`, `stopped`, `zombie`; `uninterruptible` once it was seen to last. */
  readonly foreseen: readonly string[]
  readonly outcome: ShutdownOutcome
  readonly endedAfterMs?: number
}

export interface ShutdownReport {
  readonly subject: ShutdownSubject
  /** Epoch milliseconds; every other time in the report counts from here. */
  readonly startedAt: number
  readonly durationMs: number
  readonly workers: readonly ShutdownWorkerReport[]
  /**
   * Keras' list of human-readable strings; empty when everything ended. The caller decides whether issues are an error.
   * `worker still alive: PoolWorker-2, pid=4711, ignores SIGTERM` · `child of PoolWorker-2 still alive: pid=4712, sleep, …` ·
   * `pool still exists: Stuck (pool-1f)` when all its workers have ended but something that they left behind has not.
   */
  readonly issues: readonly string[]
}

/** A signal in the ledger; a real-time one, by which a process is asked for its stacks, has only a number. */
export type LedgerSignal = NodeJS.Signals | `signal ${number}`

/** One signal that was ever sent. */
export interface KillLedgerEntry {
  readonly at: number
  readonly identity: ProcessIdentity
  readonly name: string
  readonly subjectId: string
  readonly signal: LedgerSignal
  readonly outcome: SignalOutcome
  readonly reason: string
  readonly askedBy: ShutdownActor
}
