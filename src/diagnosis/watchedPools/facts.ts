import type { ProcessState, ProcessWait } from '../../processes'
import type { Text } from '../messages'
import type { Verdict } from '../verdict'

/**
 * One pool inside a watched or attached program at one moment: the input of the rules for watched pools. Durations and
 * ages are milliseconds. Unknown facts are null: an attached program has no recorder and no control channel.
 */
export interface ProgramPoolFacts {
  /** `train.py:42`; in an attached program the name of the program. */
  readonly pool: string
  readonly library: 'multiprocessing' | 'concurrent.futures' | 'billiard' | 'loky' | 'processes' | 'unknown'
  readonly startMethod: string | null
  readonly state: 'init' | 'run' | 'close' | 'terminate' | 'broken' | 'ended'
  /** From the first to the newest of consecutive answers with this state; 0 for a single answer. */
  readonly stateMs: number
  readonly processes: number | null
  /** Age of the pool; null when unknown. */
  readonly poolAgeMs: number | null
  readonly parent: ParentFacts
  /** The threads of the pool in the parent: true = alive. */
  readonly threads: {
    readonly workers: boolean | null
    readonly tasks: boolean | null
    readonly results: boolean | null
  } | null
  readonly locks: { readonly tasks: LockState; readonly results: LockState }
  readonly taskPipeBytes: number | null
  readonly resultPipeBytes: number | null
  /** Tasks that no worker has taken yet. */
  readonly queued: number | null
  /** Calls that have not ended. */
  readonly jobs: readonly JobFacts[]
  /** A callback that blocks the thread which receives the results; null also when unknown. */
  readonly callback: CallbackFacts | null
  /** How long calls, queue, pipes, callback and tasks of workers have been the same in every sample; 0 when unknown. */
  readonly unchangedMs: number
  /** Live workers, and exited ones with a task or a lock, not collected, or with an exit less than 10 s ago. */
  readonly workers: readonly ProgramWorkerFacts[]
  /** Workers on the list of the pool whose start was not seen: their tasks are unknown. */
  readonly unseenWorkers: number
  /** Lost tasks of further workers, too many for a list and therefore only counted. */
  readonly unlistedLosses: number
  /** `exit 1`, newest last: consecutive workers that ended before they asked for a task (crashLoopWindowMs). */
  readonly exitsBeforeReady: readonly Text[]
  /** Without the main process of the program. */
  readonly readers: ReaderFacts
  readonly stuckAfterMs: number
}

export interface ParentFacts {
  readonly pid: number
  readonly state: ProcessState
  /** As {@link ProgramWorkerFacts.stoppedMs}. */
  readonly stoppedMs: number
  /** The observer in it answers; false also while the program holds the GIL in C code, or is stopped. */
  readonly answers: boolean
  /** `train.py:42 (<module>), in Pool.map`. */
  readonly waitsIn: string | null
  /** How long it has used no CPU time. */
  readonly quietMs: number
  /** How the main process handles SIGTERM: workers inherit its handler. */
  readonly sigterm: SigtermHandling
  /** Where its main thread waits; null when it was not sampled. */
  readonly wait: WaitFacts | null
  readonly threadWaits: ThreadWaits
  /** Pid of the process whose end its main thread waits for; null when there is none, or unknown. */
  readonly joins: number | null
  /** Other threads of it run the user's code, and may read a queue; null when unknown. */
  readonly hasThreads: boolean | null
  /** As {@link ProgramWorkerFacts.standsStillMs}; 0 as well while it has pools. */
  readonly standsStillMs: number
}

/** How a process handles SIGTERM; null when unknown. */
export type SigtermHandling = 'default' | 'ignored' | 'caught' | 'blocked' | null

export type LockState = 'free' | 'taken' | null

/**
 * A call that waits for results: `map(run, 12 items)`. Counts are items, not chunks; null while an `imap` has not named
 * them all.
 */
export interface JobFacts {
  readonly job: number
  /** `map`, `starmap`, `imap`, `apply`, `submit` … */
  readonly call: string
  readonly function: string
  readonly total: number | null
  readonly left: number | null
}

export interface CallbackFacts {
  /** `train.py:12 (on_done), in Pool.map`. */
  readonly at: string
  /** It waits, without a time limit, for results that only its own thread could receive. */
  readonly waitsForOwnPool: boolean
  /**
   * How long it has been at the same place in every sample without CPU time of its thread; other threads of the pool
   * may use a whole core meanwhile.
   */
  readonly quietMs: number
}

/** Where a thread waits in the kernel. */
export type WaitFacts = ProcessWait

/**
 * Where the other threads of a process wait, while its main thread waits for a lock; empty when they are too many, or
 * were not sampled.
 */
export type ThreadWaits = readonly WaitFacts[]

/**
 * Processes of a program, in any pool, that may still read the pipes of others: their number, and how long none of them
 * has used CPU time.
 */
export interface ReaderFacts {
  readonly count: number
  readonly quietMs: number
}

export interface ProgramWorkerFacts {
  /** `ForkPoolWorker-3`. */
  readonly name: string
  readonly pid: number
  /** `unknown` without a recorder or notes on its tasks. The unfinished task of an exited worker is in `task`. */
  readonly phase: 'starting' | 'idle' | 'running' | 'sending' | 'exited' | 'unknown'
  readonly state: ProcessState
  /** Number of consecutive samples with this state. */
  readonly stateSeenTimes: number
  /** From the first to the newest of consecutive samples in which it was stopped. */
  readonly stoppedMs: number
  readonly ageMs: number
  /** Threads of the process now; null when unknown. */
  readonly threads: number | null
  /** Threads of the parent when this worker was started, without those of pools; 1: only the main thread. */
  readonly parentThreadsAtStart: number | null
  /** Since the first sample: the time, the CPU time (with descendants), and how long it has used none of late. */
  readonly watchedMs: number
  readonly cpuMs: number
  readonly quietMs: number
  readonly wait: WaitFacts | null
  readonly threadWaits: ThreadWaits
  /**
   * From the first to the newest sample with the main thread in this wait, without a run in between; 0 for a single
   * sample. `aloneMs` is the part of that time in which it had no other thread.
   */
  readonly waitsMs: number
  readonly aloneMs: number
  /** As `waitsMs`, for a thread of it that writes to a pipe: no byte was read from that pipe. 0 when none writes. */
  readonly feederWaitsMs: number
  /**
   * How long it has waited at one place without another Python thread or a signal handler that might end the wait; 0
   * when it moves, when such a thread or handler exists, and when unknown.
   */
  readonly standsStillMs: number
  /** It began as a copy of its parent, with the locks that were taken then; null when unknown. */
  readonly forked: boolean | null
  /** Locks that it holds, by its own notes; after its exit: those not released since. */
  readonly holds: readonly ('tasks' | 'results')[]
  readonly sigterm: SigtermHandling
  /** By its signal masks in two consecutive samples: a SIGTERM is pending. An ignored SIGTERM is discarded instead. */
  readonly sigtermPending: boolean
  /** How long ago we sent the first SIGTERM that had no effect; null when we sent none. */
  readonly sigtermSentMs: number | null
  readonly task: ProgramTaskFacts | null
  /** Innermost first, `pool.py:768 get`; null when it was not taken: only quiet workers are asked. */
  readonly stack: readonly StackFrameFacts[] | null
  /** The stack was taken in the present wait; false: the worker has run since. */
  readonly stackIsOfWait: boolean
  readonly exit: ProgramExitFacts | null
  /** It has pools of its own, with their workers. */
  readonly hasPools: boolean
  /** Number of its results that could not be pickled. */
  readonly unpicklableResults: number
}

export interface StackFrameFacts {
  readonly file: string
  readonly line: number
  readonly function: string
}

export interface ProgramTaskFacts {
  /** `7`, or `job.index` after several calls: the argument of `rescue --task`. */
  readonly id: string
  readonly job: number
  readonly index: number
  /** `run(7)`. */
  readonly label: string
  /** Number of its items (a chunk of `map`). */
  readonly items: number
  readonly runningMs: number
  /** Its result was being written into the pipe (phase 2 of the recorder). After an exit it may have arrived anyway. */
  readonly sending: boolean
  /** Its call still waits; null when the parent does not answer. */
  readonly awaited: boolean | null
  /** Failed or put back by a rescue already. */
  readonly rescued: boolean
  /** It can be put into the queue again. */
  readonly retriable: boolean
}

export interface ProgramExitFacts {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly agoMs: number
  /** From the exit to the begin of the parent's newest answer, negative for an older one; null without one. */
  readonly answeredAfterMs: number | null
  readonly livedMs: number
  /** From the kill ledger; null when we sent nothing. */
  readonly endedByUs: { readonly askedBy: string; readonly reason: string } | null
  /** OOM kills in its cgroup (else on this machine) between its start and its exit; null when unknown. */
  readonly oomKills: number | null
  /** It is still in state Z: its parent has not collected it. False also when unknown. */
  readonly uncollected: boolean
}

/** A remedy that a rescue can apply. */
export type RescueOption =
  /** Fail the task in the program, or put it into the queue again. */
  | {
      readonly kind: 'task'
      readonly worker: string
      readonly pid: number
      readonly task: string
      readonly label: string
      readonly retriable: boolean
    }
  /** Release a lock whose holder is dead. */
  | { readonly kind: 'lock'; readonly lock: 'tasks' | 'results'; readonly worker: string; readonly pid: number }
  /** SIGCONT to a stopped worker. */
  | { readonly kind: 'continue'; readonly worker: string; readonly pid: number }

/** A verdict on a pool of a program, or on one of its workers. */
export interface ProgramVerdict extends Verdict {
  /** The pool, or the task of this worker, does not finish on its own. */
  readonly stuck: boolean
  /** The worker that it is about; null for the pool as a whole. */
  readonly worker: string | null
  readonly pid: number | null
  /** Id of the task that it is about. */
  readonly task: string | null
  readonly rescue: readonly RescueOption[]
}

/** A rule for watched pools: facts in, verdicts out, without a clock and without processes. */
export type ProgramRule = (facts: ProgramPoolFacts) => readonly ProgramVerdict[]

/** Only exits within this time count as a crash loop. */
export const crashLoopWindowMs = 10_000
