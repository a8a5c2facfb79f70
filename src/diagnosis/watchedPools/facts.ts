import type { ProcessState, ProcessWait } from '../../processes'
import type { Text } from '../messages'
import type { Verdict } from '../verdict'

/**
 * What is known of one pool inside a watched (or attached) program at one moment; everything the rules for programs may
 * rest on. Durations and ages are milliseconds. Facts that nobody could learn are null: an attached program has no
 * recorder and no control channel.
 */
export interface ProgramPoolFacts {
  /** `train.py:42`; of an attached program the program's own name. */
  readonly pool: string
  readonly library: 'multiprocessing' | 'concurrent.futures' | 'billiard' | 'loky' | 'processes' | 'unknown'
  readonly startMethod: string | null
  readonly state: 'init' | 'run' | 'close' | 'terminate' | 'broken' | 'ended'
  /** From the first answer in a row that said so to the newest; 0 when that is one. */
  readonly stateMs: number
  readonly processes: number | null
  /** Since it was made; null when unknown. */
  readonly poolAgeMs: number | null
  readonly parent: ParentFacts
  /** The pool's own threads in the parent: true = alive. */
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
  /** The program's callback that holds up the thread which receives the results; null also when unknown. */
  readonly callback: CallbackFacts | null
  /**
   * How long calls, queue, pipes, callback, and what each worker is in have been the same at every look; 0 when nobody
   * can tell.
   */
  readonly unchangedMs: number
  /** Live ones, and those that exited and still matter: with a task or a lock, not collected, or less than 10 s ago. */
  readonly workers: readonly ProgramWorkerFacts[]
  /** Workers that the pool has by its own list, and that nobody has seen start: what they do is not known. */
  readonly unseenWorkers: number
  /** Lost tasks of further workers: too many for a list, and so only counted. */
  readonly unlistedLosses: number
  /**
   * `exit 1`, newest last: workers in a row that ended before they asked for a task, within {@link crashLoopWindowMs}.
   */
  readonly exitsBeforeReady: readonly Text[]
  /** The program's own process is none of them. */
  readonly readers: ReaderFacts
  readonly stuckAfterMs: number
}

export interface ParentFacts {
  readonly pid: number
  readonly state: ProcessState
  /** As a worker's. */
  readonly stoppedMs: number
  /** Its observer answers. False also when it holds the GIL in C code, or is stopped. */
  readonly answers: boolean
  /** `train.py:42 (<module>), in Pool.map`. */
  readonly waitsIn: string | null
  /** CPU time of the parent since `quietMs` began, and for how long it has used none. */
  readonly quietMs: number
  /** What its main thread does with SIGTERM: a handler that a worker has as well was inherited from it. */
  readonly sigterm: SigtermHandling
  /** Where its main thread waits; null when nobody has looked. */
  readonly wait: WaitFacts | null
  readonly threadWaits: ThreadWaits
  /** Pid of the process whose end its main thread waits for; null when there is none, or nobody knows. */
  readonly joins: number | null
  /** Other threads of it run the user's code, and may be those that take things out of a queue; null when unknown. */
  readonly hasThreads: boolean | null
  /** As a worker's; 0 as well while it has pools. */
  readonly standsStillMs: number
}

/** What a process does with SIGTERM; null when unknown. */
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
  /** It waits, without a time limit, for results that only the thread it runs in could receive. */
  readonly waitsForOwnPool: boolean
  /**
   * For how long it has been at the same place at every look, and its thread has used no CPU time: the pool's other
   * threads may use a whole core meanwhile.
   */
  readonly quietMs: number
}

/** Where a thread waits in the kernel. */
export type WaitFacts = ProcessWait

/**
 * Where the other threads of a process wait, while its main thread waits for a lock; none when it has too many, or
 * nobody has looked.
 */
export type ThreadWaits = readonly WaitFacts[]

/**
 * Processes of a program, whatever pool they are in, that may yet read what others write: how many, and for how long
 * none of them has used CPU time.
 */
export interface ReaderFacts {
  readonly count: number
  readonly quietMs: number
}

export interface ProgramWorkerFacts {
  /** `ForkPoolWorker-3`. */
  readonly name: string
  readonly pid: number
  /**
   * `unknown` where there is no recorder, or nothing is noted of its tasks; what an exited one was in the middle of is
   * in its task.
   */
  readonly phase: 'starting' | 'idle' | 'running' | 'sending' | 'exited' | 'unknown'
  readonly state: ProcessState
  /** How many looks in a row saw this state. */
  readonly stateSeenTimes: number
  /** From the first look that saw it stopped to the last: it was not continued in between. */
  readonly stoppedMs: number
  readonly ageMs: number
  /** Threads of the process now; null when unknown. */
  readonly threads: number | null
  /**
   * Threads of the parent, the main one included, apart from the pools' own, when it was started: 1 is a plain program.
   * null when unknown.
   */
  readonly parentThreadsAtStart: number | null
  /** How long it has been looked at, the CPU time since (it and what is below it), and how long it has used none. */
  readonly watchedMs: number
  readonly cpuMs: number
  readonly quietMs: number
  readonly wait: WaitFacts | null
  readonly threadWaits: ThreadWaits
  /**
   * From the first look that saw its main thread in that wait to the last: it has not run in between. 0 when only one
   * look saw it, which says nothing of the time before. `aloneMs` is the part of it in which it had no other thread.
   */
  readonly waitsMs: number
  readonly aloneMs: number
  /**
   * The same of a thread of it that writes to a pipe: nobody has taken a byte out of that in between. 0 when none
   * writes.
   */
  readonly feederWaitsMs: number
  /**
   * How long it has been seen waiting in that one place, without a thread of Python's or a signal handler of its own
   * that might change something; 0 when it moves, when a thread might, and when unknown.
   */
  readonly standsStillMs: number
  /** It is a copy of its parent's memory, with locks as they were taken then; null when unknown. */
  readonly forked: boolean | null
  /** Locks it holds, as it noted itself; of a dead one: that it held when it died and that were not released since. */
  readonly holds: readonly ('tasks' | 'results')[]
  readonly sigterm: SigtermHandling
  /**
   * By its masks, at two looks in a row: a SIGTERM of somebody waits to be delivered. One that is ignored never does,
   * it is discarded.
   */
  readonly sigtermPending: boolean
  /** How long ago we sent it the first SIGTERM that it has survived; null when we sent none. */
  readonly sigtermSentMs: number | null
  readonly task: ProgramTaskFacts | null
  /**
   * Innermost first, `pool.py:768 get`; null when it was not taken. Taken of a worker that has been quiet for a while.
   */
  readonly stack: readonly StackFrameFacts[] | null
  /** The stack was taken in this very wait; else the worker has moved since. */
  readonly stackIsOfWait: boolean
  readonly exit: ProgramExitFacts | null
  /** It has pools of its own, with their workers. */
  readonly hasPools: boolean
  /** Results of its that could not be pickled. */
  readonly unpicklableResults: number
}

export interface StackFrameFacts {
  readonly file: string
  readonly line: number
  readonly function: string
}

export interface ProgramTaskFacts {
  /** `7`, `job.index` where the pool has had several calls: what `rescue --task` takes. */
  readonly id: string
  readonly job: number
  readonly index: number
  /** `run(7)`. */
  readonly label: string
  /** How many items it stands for (a chunk of `map`). */
  readonly items: number
  readonly runningMs: number
  /**
   * Its result was being written into the pipe (phase 2 of the recorder); of a dead worker: it may have arrived all the
   * same.
   */
  readonly sending: boolean
  /** Its call is still waiting: null when the parent does not answer. */
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
  /** How long after it the parent's newest answer began, negative when it came before; null when there was none. */
  readonly answeredAfterMs: number | null
  readonly livedMs: number
  /** From the kill ledger; null when we sent nothing. */
  readonly endedByUs: { readonly askedBy: string; readonly reason: string } | null
  /**
   * Kills by the kernel's OOM killer in its cgroup (else on this machine) between its start and its exit; null when
   * unknown.
   */
  readonly oomKills: number | null
  /** It is still in state Z: its parent has not collected it. False also when nobody can tell. */
  readonly uncollected: boolean
}

/** What would help, as a thing that can be done. */
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
  /** The pool, or this worker's task, is not going to finish by itself. */
  readonly stuck: boolean
  /** The worker it is about; null = the pool as a whole. */
  readonly worker: string | null
  readonly pid: number | null
  /** Id of the task it is about. */
  readonly task: string | null
  readonly rescue: readonly RescueOption[]
}

/** A rule for programs: facts in, verdicts out. It knows no clock and starts no process. */
export type ProgramRule = (facts: ProgramPoolFacts) => readonly ProgramVerdict[]

/** Exits before a worker was ready are counted within this time. */
export const crashLoopWindowMs = 10_000
