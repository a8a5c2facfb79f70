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
   * The program that this process belongs to: it is signalled only once that program has ended, also where the parent
   * between them is gone. Not needed for a process whose parents are all there: those are read from the process table.
   */
  readonly below?: ProcessIdentity
  /**
   * A process of the program's runtime that runs no statement of the program (Python's fork server, its resource
   * tracker). It is no parent that could go on, and it comes after everything else: most leave by themselves then, and
   * clean up before.
   */
  readonly helper?: boolean
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

/** One step of an escalation, as GNU parallel's --termseq: send, then wait at most `waitMs`. */
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
   * Workers of the pool that have exited before, each with its marker. They are not reported, but what they left
   * running is part of the pool, and is ended with it.
   */
  readonly formerWorkers?: readonly FormerWorker[]
  /** Called synchronously, before anything else: from then on nobody may be respawned. */
  readonly stopRefill?: () => void
  /** How long each process has to end after it was asked, or got SIGTERM, milliseconds; Keras' 0.1 s by default. */
  readonly gracePeriodMs: number
  /** SIGKILL for each process that is still there after its grace period. */
  readonly useSigkill: boolean
  /** Straight to SIGKILL (`kill()`); implies `useSigkill`. */
  readonly kill?: boolean
  /** What each process is sent, in place of SIGTERM and SIGKILL. */
  readonly termSequence?: readonly TermStep[]
  readonly reason: string
  readonly askedBy: ShutdownActor
  /**
   * Told when something was ended after the report: it had been held back for the sake of a process that took longer
   * than its grace period to handle its signal, and has ended since.
   */
  readonly endedLater?: (report: ShutdownReport) => void
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
  /** `order` counts the signals of the whole shutdown, from 1. */
  readonly sent: readonly SentSignal[]
  /**
   * What was known before the first signal: `ignores SIGTERM`, `stopped`, `zombie`; `uninterruptible` once it was seen
   * to last.
   */
  readonly foreseen: readonly string[]
  readonly outcome: ShutdownOutcome
  readonly endedAfterMs?: number
  /** The living process above it because of which it got no signal: that one would have gone on with its next line. */
  readonly heldBackBy?: { readonly name: string; readonly pid: number }
}

/** One signal of a shutdown. */
export interface SentSignal {
  readonly signal: NodeJS.Signals
  readonly atMs: number
  readonly outcome: SignalOutcome
  readonly order: number
}

/** What a shutdown would do, had it been asked for now. */
export interface ShutdownPlan {
  readonly subject: ShutdownSubject
  readonly gracePeriodMs: number
  /**
   * What the parent of the one worker that is ended will make of it, in words, as far as known; absent where a whole
   * pool ends.
   */
  readonly consequence?: string
  /** In the order in which they would be signalled. */
  readonly processes: readonly PlannedProcess[]
}

/** One process of a {@link ShutdownPlan}. */
export interface PlannedProcess {
  readonly name: string
  readonly pid: number
  /** The kernel's short name of the program. */
  readonly command: string
  readonly descendantOf?: string
  /** From 1; processes of one step are signalled together, those of the next once what is above them has ended. */
  readonly step: number
  /** The process that must have ended before; null for the first. */
  readonly after: { readonly name: string; readonly pid: number } | null
  /** Its channel is closed first, so that it may finish up. */
  readonly asked: boolean
  /** What it is sent, each only if it is still there by then; empty for one that is dead already. */
  readonly signals: readonly NodeJS.Signals[]
  /** What is known of how it will answer, in words: `handles SIGTERM: it has 100 ms for that`. */
  readonly answer: string
}

export interface ShutdownReport {
  readonly subject: ShutdownSubject
  /** Epoch milliseconds; every other time in the report counts from here. */
  readonly startedAt: number
  readonly durationMs: number
  readonly workers: readonly ShutdownWorkerReport[]
  /**
   * Keras' list of human-readable strings; empty when everything ended. The caller decides whether issues are an error.
   * `worker still alive: PoolWorker-2, pid=4711, ignores SIGTERM` · `child of PoolWorker-2 still alive: pid=4712,
   * sleep, …` · `pool still exists: Stuck (pool-1f)` when all its workers have ended but something that they left
   * behind has not.
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
