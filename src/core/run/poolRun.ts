import { crashLoop, type CrashLoopFacts } from '../../diagnosis'
import type { ShutdownReport } from '../../shutdown'
import { TaskSubmission } from '../calls/submission'
import { Cancellation } from '../outcomes/cancellation'
import { StuckDetector } from '../outcomes/stuckDetector'
import { TaskOutcomes } from '../outcomes/taskOutcomes'
import { OutputFolder } from '../output/outputFolder'
import type { Task } from '../tasks/task'
import { TaskStore } from '../tasks/taskStore'
import { PoolFailedError, PoolStateError, TaskCancelledError } from '../terms/errors'
import type { PoolState, ShutdownOptions } from '../terms/types'
import { CommandWorkers } from '../workers/commandWorkers'
import { PersistentWorkers } from '../workers/persistentWorkers'
import { runtimeOf } from '../workers/runtimeOf'
import { Utilisation } from '../workers/utilisation'
import type { Worker } from '../workers/worker'
import type { WorkerSet, WorkerSetHooks } from '../workers/workerSet'
import { BackgroundWork } from './backgroundWork'
import { PoolShutdown } from './poolShutdown'
import { QueueRoom } from './queueRoom'
import type { RunContext } from './runContext'
import { RunningTasks } from './runningTasks'
import { WorkerExits } from './workerExits'

/** A live pool keeps the process alive, also while it has no worker; the longest delay a timer takes. */
const keepAliveMs = 2 ** 31 - 1

/**
 * The run of a pool, from its first worker to its end: its state, and the parts that its tasks go through (submission,
 * store, workers, outcomes), each of which hears of the others here.
 */
export class PoolRun {
  readonly folder: OutputFolder
  readonly store = new TaskStore()
  readonly utilisation = new Utilisation()
  readonly exits: WorkerExits
  readonly running = new RunningTasks(() => this.workerSet.workers)
  readonly submission: TaskSubmission
  readonly workerSet: WorkerSet
  readonly cancellation: Cancellation
  readonly room: QueueRoom
  readonly shutdown: PoolShutdown
  /** The number of workers that the pool is to have at a time. */
  processes: number

  readonly #pool: RunContext
  readonly #background: BackgroundWork
  readonly #outcomes: TaskOutcomes
  readonly #stuck: StuckDetector
  readonly #whenEnded: (() => void)[] = []
  readonly #keepAlive: NodeJS.Timeout
  #state: PoolState = 'init'
  #failure: string | null = null
  #endedAt: number | null = null
  #held = false
  #fillingSoon = false

  constructor(pool: RunContext) {
    this.#pool = pool
    this.#background = new BackgroundWork(pool)
    const { id, settings, system, tell } = pool
    this.folder = new OutputFolder(settings.outputDirectory)
    this.processes = settings.processes
    this.exits = new WorkerExits((info) => {
      tell('workerExit', () => [info])
      this.settleDown()
    })
    this.#stuck = new StuckDetector(settings.stuckAfterMs, system.processes, {
      running: () => this.running,
      judged: (task, worker, verdict, stuck) => {
        this.#outcomes.judged(task, worker, verdict, stuck)
      },
      failed: (error) => {
        this.#background.failed('a look at the running tasks', error)
      },
    })
    this.#outcomes = this.#makeOutcomes()
    this.cancellation = this.#makeCancellation()
    this.submission = this.#makeSubmission()
    this.room = new QueueRoom(this.store, settings.maxQueued, () => {
      this.mustAccept()
    })
    this.shutdown = this.#makeShutdown()
    const place = { poolId: id, folder: this.folder, table: system.processes }
    this.workerSet =
      settings.kind === 'command'
        ? new CommandWorkers(settings, place, this.#workerSetHooks())
        : new PersistentWorkers(settings, runtimeOf(settings), place, this.#workerSetHooks())
    this.#keepAlive = setInterval(() => undefined, keepAliveMs)
    queueMicrotask(() => {
      if (this.#state === 'init') this.#setState('run')
      this.#fill()
    })
  }

  get state(): PoolState {
    return this.#state
  }

  get failure(): string | null {
    return this.#failure
  }

  get endedAt(): number | null {
    return this.#endedAt
  }

  /** @throws PoolStateError when the pool takes no more tasks */
  mustAccept(): void {
    if (this.#state === 'init' || this.#state === 'run') return
    throw new PoolStateError(
      `${this.#pool.settings.name} takes no more tasks: it is in state ` +
        `${this.#state}${this.#failure === null ? '' : ` (${this.#failure})`}`,
      this.#pool.id,
      this.#state,
    )
  }

  resize(processes: number): void {
    this.processes = processes
    if (this.#state === 'init')
      queueMicrotask(() => {
        this.resize(processes)
      })
    else if (this.#mayRun) this.workerSet.resize(processes)
  }

  hold(): void {
    if (this.#held) return
    this.#held = true
    this.workerSet.hold()
  }

  resume(): void {
    this.#held = false
    this.#fill()
  }

  close(): void {
    if (this.#state !== 'init' && this.#state !== 'run') return
    this.#setState('close')
    this.room.wake()
    this.submission.close()
    this.settleDown()
  }

  /** Resolves with what could not be ended; with nothing for a task that is not known or has ended. */
  async cancelTask(id: string, options: ShutdownOptions): Promise<string[]> {
    const task = this.store.find(id)
    return task === undefined ? [] : this.cancellation.one(task, options)
  }

  /** Resolves when the pool has ended; it must be closed or being ended. */
  whenEnded(): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve()
    return new Promise((resolve) => this.#whenEnded.push(resolve))
  }

  /** Ends the pool if nothing is left to do. */
  settleDown(): void {
    const isDone = this.#isDone
    if (isDone) this.workerSet.dismiss()
    if (this.workerSet.workers.size > 0 || this.exits.finishing.size > 0 || !(isDone || this.#state === 'terminate'))
      return
    this.workerSet.stop()
    this.#stuck.stop()
    clearInterval(this.#keepAlive)
    this.#endedAt = Date.now()
    if (isDone) this.exits.former.forget()
    if (this.exits.leftBehind.size === 0) this.#pool.forget()
    this.#setState('ended')
    for (const resolve of this.#whenEnded.splice(0)) resolve()
  }

  get #mayRun(): boolean {
    return this.#state === 'run' || this.#state === 'close'
  }

  /** Closed, and nothing is left to do. */
  get #isDone(): boolean {
    return this.#state === 'close' && this.store.empty && !this.submission.open
  }

  #setState(state: PoolState): void {
    this.#state = state
    this.#pool.tell('stateChange', () => [state])
  }

  #fill(): void {
    if (this.#mayRun) this.workerSet.fill()
  }

  /** Tasks that are handed in one after another go out together. */
  #fillSoon(): void {
    if (this.#fillingSoon) return
    this.#fillingSoon = true
    queueMicrotask(() => {
      this.#fillingSoon = false
      this.#fill()
    })
  }

  #nextTask(): Task | undefined {
    if (this.#held || !this.#mayRun) return undefined
    const task = this.store.next()
    // Only a request for one more shows that an iterable has no more items.
    if (task === undefined && this.#isDone)
      queueMicrotask(() => {
        this.settleDown()
      })
    this.room.freed()
    return task
  }

  /** The task has not begun: the next worker takes it, unless it was cancelled or the pool ends. */
  #putBack(task: Task): void {
    const { intent } = task
    if (task.state === 'running') this.#outcomes.notBegun(task)
    if (this.#mayRun && intent?.kind !== 'cancel') this.store.putBack(task)
    else
      this.#outcomes.dropped(
        task,
        new TaskCancelledError(task.id, task.label, intent?.kind === 'cancel' ? intent.reason : 'the pool was ended'),
      )
  }

  /** A task that was sent ahead and has not begun waits in the queue again, at least until this turn is over. */
  #takeBack(task: Task): void {
    if (task.place === 'queue' || (task.state !== 'queued' && task.state !== 'running')) return
    this.workerSet.takeBack(task)
    this.#fillSoon()
  }

  #workerGone(worker: Worker): void {
    this.utilisation.workerGone(worker)
    this.exits.left(worker)
    const outcome = worker.task?.state === 'running' ? this.#outcomes.workerGone(worker.task, worker) : undefined
    for (const task of worker.unknown) {
      this.#outcomes.started(task, worker)
      void this.#outcomes.workerGone(task, worker)
    }
    this.exits.add(worker, outcome)
  }

  #fail(facts: Omit<CrashLoopFacts, 'pool'>, cause: unknown): void {
    const { summary } = crashLoop({ ...facts, pool: this.#pool.settings.name })
    this.#failure = summary
    const error = new PoolFailedError(summary, this.#pool.id, facts.exits, facts.stderrTail, { cause })
    this.#pool.tell('failed', () => [summary])
    for (const task of this.store.takeOutAll()) this.#outcomes.dropped(task, error)
    this.#background.shutdown(this.shutdown.all({ kill: false, askedBy: 'policy', reason: summary }))
  }

  /** No worker and no task is started from here on. */
  #stop(reason: string): void {
    const { id, settings } = this.#pool
    this.workerSet.stop()
    if (this.#state === 'terminate' || this.#state === 'ended') return
    this.#setState('terminate')
    this.room.wake()
    this.submission.abort(new PoolStateError(`${settings.name} was ended: ${reason}`, id, 'terminate'))
    for (const task of this.store.takeOutAll()) {
      this.#outcomes.dropped(task, new TaskCancelledError(task.id, task.label, `the pool was ended: ${reason}`))
    }
  }

  #shutDown(report: ShutdownReport): void {
    // A worker that survived must not keep our own process alive indefinitely.
    this.#keepAlive.unref()
    if (report.issues.length === 0 && this.workerSet.workers.size === 0) this.#pool.forget()
    this.settleDown()
  }

  #makeShutdown(): PoolShutdown {
    return new PoolShutdown({
      ...this.#pool,
      exits: this.exits,
      workers: () => this.workerSet.workers,
      stop: (reason) => {
        this.#stop(reason)
      },
      ended: (report) => {
        this.#shutDown(report)
      },
    })
  }

  #makeSubmission(): TaskSubmission {
    return new TaskSubmission(this.#pool.settings, this.store, {
      cancelTasks: (tasks, reason) => this.cancellation.all(tasks, reason),
      uncallable: (task, error) => {
        this.#outcomes.uncallable(task, error)
      },
      handedIn: () => {
        this.#fillSoon()
      },
      streamEnded: () => {
        queueMicrotask(() => {
          this.settleDown()
        })
      },
      processes: () => this.processes,
    })
  }

  #makeOutcomes(): TaskOutcomes {
    const { settings, tell } = this.#pool
    return new TaskOutcomes({
      settings,
      store: this.store,
      watch: this.#stuck,
      tell,
      state: () => this.#state,
      runs: (task, worker) => {
        this.#takeBack(task)
        return worker.isAt(task)
      },
      endWorker: (worker, options, failed) => {
        this.#background.shutdown(this.shutdown.one(worker.pid, options), failed)
      },
      ran: (well, ms) => {
        this.utilisation.taskRan(well, ms)
      },
      softTimeout: (worker, task) => this.workerSet.softTimeout(worker, task),
      endPool: (options) => {
        this.#background.shutdown(this.shutdown.all(options))
      },
      fill: () => {
        this.#fill()
      },
      taskEnded: () => {
        this.settleDown()
      },
    })
  }

  #makeCancellation(): Cancellation {
    return new Cancellation({
      takeBack: (task) => {
        this.#takeBack(task)
      },
      cancelWaiting: (task, reason) => {
        this.#outcomes.cancelWaiting(task, reason)
        this.room.freed()
      },
      workerOf: (task) =>
        [...this.workerSet.workers, ...this.exits.finishing.keys()].find((worker) => worker.has(task)),
      finished: (worker) => this.exits.finishing.get(worker),
      shutdownWorker: (pid, options) => this.shutdown.one(pid, options),
    })
  }

  #workerSetHooks(): WorkerSetHooks {
    const { tell } = this.#pool
    return {
      nextTask: () => this.#nextTask(),
      putBack: (task) => {
        this.#putBack(task)
      },
      waiting: () => (this.#held ? 0 : this.store.backlog),
      workerStarted: (worker) => {
        this.utilisation.workerStarted(worker)
        tell('workerStart', () => [worker.describe()])
      },
      workerChanged: (worker) => {
        tell('workerChange', () => [worker.describe()])
      },
      workerGone: (worker) => {
        this.#workerGone(worker)
      },
      taskStarted: (task, worker) => {
        this.#outcomes.started(task, worker)
      },
      taskEnded: (worker, task, outcome) => {
        this.#outcomes.answered(task, worker, outcome)
      },
      taskNotStarted: (task, error) => {
        this.#outcomes.notStarted(task, error)
      },
      taskUncallable: (task) => {
        this.#outcomes.uncallable(task, task.incident.callError)
      },
      output: (worker, taskId, stream, chunk) => {
        tell('output', () => [{ worker: worker.name, taskId, stream, chunk }])
      },
      // The worker is of no use any more: without SIGKILL one that catches SIGTERM would keep the pool from ending.
      endWorker: (worker, reason) => {
        this.#background.shutdown(
          this.shutdown.one(worker.pid, { kill: false, useSigkill: true, askedBy: 'policy', reason }),
        )
      },
      failed: (facts, cause) => {
        this.#fail(facts, cause)
      },
    }
  }
}
