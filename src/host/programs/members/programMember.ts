import type { ProgramExitFacts, ProgramVerdict, ProgramWorkerFacts, StackFrameFacts } from '../../../diagnosis'
import type { ProcessIdentity, ProcessState, ProcessWait, ThreadWait, UsageSample } from '../../../processes'
import type { TaskSnapshot, WorkerSnapshot } from '../../../protocol'
import type { RecordedProcess } from '../../../runtimes'
import { Movement } from './movement'
import { Standstill } from './standstill'
import { steadyMs, steadyOf } from '../context/steadyTime'
import { verdictSnapshot } from '../../terms/verdictSnapshot'

/** The key of the program's main process; other keys are made of numbers. */
export const rootKey = 'root'

/** How a process of a program ended. */
export interface MemberExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly at: number
  /** The same in steady time. */
  readonly steadyAt: number
  readonly endedByUs: ProgramExitFacts['endedByUs']
  readonly oomKills: number | null
}

/** A child as the Node process that started it has it. */
export interface NotedChild {
  /** Field 22 of /proc/PID/stat; null where there is none. */
  readonly ticks: number | null
  ended?: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null; readonly at: number }
}

/** A task as the parent's observer names it. */
export interface NamedTask {
  readonly counter: number
  readonly function: string
  readonly label: string
  readonly first: number | null
  readonly items: number
}

/**
 * One process of a program: a worker of a pool in it, its main process, or a child. Everything that was last seen of
 * it.
 */
export class ProgramMember {
  identity: ProcessIdentity | undefined
  /** Started by a Node process that told of it. */
  noted: NotedChild | undefined
  named: NamedTask | undefined
  exit: MemberExit | undefined
  /** The last look found it dead and not collected by its parent. */
  uncollected = false
  state: ProcessState = 'unknown'
  stateSeenTimes = 0
  threads: number | null = null
  wait: ProcessWait | null = null
  threadWaits: readonly ThreadWait[] = []
  sigterm: ProgramWorkerFacts['sigterm'] = null
  sigtermPending = false
  /** When we sent it the first SIGTERM, in steady time. */
  sigtermSentAt: number | null = null
  /** The same at the last look alone. */
  sigtermSeenPending = false
  stack: readonly StackFrameFacts[] | null = null
  /**
   * The task counter that `stack` belongs to, and the same again while it has not moved since its stack was asked for;
   * else -1.
   */
  stackOf = -1
  stackCounter = -1
  usage: UsageSample | undefined
  /** Kills of the OOM killer in its control group when it was first seen; null while unknown. */
  oomKillsBefore: number | null = null
  /** What a rescue did to the task it took with it. */
  rescued: 'failed' | 'retried' | undefined
  verdict: ProgramVerdict | null = null
  readonly movement = new Movement()
  readonly standstill = new Standstill()
  /** The same of a thread of it that writes to a pipe. */
  readonly feeder = new Standstill()
  /** It runs what its parent runs; null while nobody has asked. */
  forked: boolean | null = null
  /** Tasks are shown by where they are in the pool's calls; set by the pool. */
  taskId = ''

  /** When it and its task began, in steady time. */
  readonly since: number
  taskSince = 0
  #shown: RecordedProcess | undefined

  constructor(
    readonly key: string,
    readonly name: string,
    readonly pid: number,
    readonly startedAt: number,
  ) {
    this.since = steadyOf(startedAt)
  }

  /** What the recorder showed of it last. */
  get recorded(): RecordedProcess | undefined {
    return this.#shown
  }

  set recorded(recorded: RecordedProcess | undefined) {
    if (recorded !== undefined && recorded.taskStartedAt !== this.#shown?.taskStartedAt)
      this.taskSince = steadyOf(recorded.taskStartedAt)
    this.#shown = recorded
  }

  get live(): boolean {
    return this.exit === undefined
  }

  /** It is in a task, or took one along. */
  get hasTask(): boolean {
    return this.recorded !== undefined && this.recorded.phase !== 'idle' && this.recorded.job >= 0
  }

  /** It took a task along, and nobody has rescued that. */
  get hasLostTask(): boolean {
    return !this.live && this.hasTask && this.rescued === undefined
  }

  get label(): string {
    const { recorded, named } = this
    if (recorded === undefined) return this.name
    if (named?.counter === recorded.counter) return named.label
    return recorded.label === '' ? `task ${this.taskId}` : recorded.label
  }

  get status(): WorkerSnapshot['status'] {
    if (!this.live) return 'exited'
    if (this.recorded === undefined || this.recorded.untold) return this.#seemsBusy ? 'busy' : 'idle'
    if (this.hasTask) return 'busy'
    return this.recorded.ready || this.recorded.poolKey === 0 ? 'idle' : 'starting'
  }

  /** CPU time tells; until there is a second look at it, whether the kernel has it running or waiting. */
  get #seemsBusy(): boolean {
    if (this.movement.quietMs(steadyMs()) > quietAfterMs) return false
    return this.movement.hasMoved || this.state === 'running' || this.state === 'uninterruptible'
  }

  snapshot(): WorkerSnapshot {
    const { recorded, exit, usage } = this
    return {
      name: this.name,
      pid: this.pid,
      status: this.status,
      exitCode: exit?.exitCode ?? null,
      signal: exit?.signal ?? null,
      cpuPercent: exit ? null : (usage?.cpuPercent ?? null),
      memoryBytes: exit ? null : (usage?.memoryBytes ?? null),
      tasksDone: this.tasksDone,
      startedAt: this.startedAt,
      exitedAt: exit?.at ?? null,
      task: recorded && this.hasTask ? this.#taskSnapshot(recorded) : this.#processSnapshot(),
    }
  }

  get tasksDone(): number {
    const { recorded } = this
    return recorded === undefined ? 0 : Math.max(0, recorded.counter - (recorded.phase === 'idle' ? 0 : 1))
  }

  #taskSnapshot(recorded: RecordedProcess): TaskSnapshot {
    const until = this.exit?.steadyAt ?? steadyMs()
    return {
      id: this.taskId,
      label: this.label,
      state: this.live
        ? 'running'
        : this.rescued === 'failed'
          ? 'failed'
          : this.rescued === 'retried'
            ? 'queued'
            : 'lost',
      startedAt: recorded.taskStartedAt,
      elapsedMs: Math.max(0, Math.round(until - this.taskSince)),
      stuck: this.verdict?.stuck === true,
      verdict: this.verdict && verdictSnapshot(this.verdict),
    }
  }

  /** A process without a task of a pool shows what is wrong with it all the same. */
  #processSnapshot(): TaskSnapshot | null {
    if (this.verdict === null || !this.live) return null
    return {
      id: `process-${this.pid}`,
      label: this.name,
      state: 'running',
      startedAt: this.startedAt,
      elapsedMs: Math.max(0, Math.round(steadyMs() - this.since)),
      stuck: this.verdict.stuck,
      verdict: verdictSnapshot(this.verdict),
    }
  }
}

/** Without a recorder nothing but CPU time tells whether a process has something to do. */
const quietAfterMs = 1000
