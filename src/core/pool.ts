import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { crashLoop } from '../diagnosis'
import type { CrashLoopFacts } from '../diagnosis'
import type { ProcessIdentity } from '../processes'
import type { ShutdownDependencies, ShutdownPlan, ShutdownReport } from '../shutdown'
import { AsyncResult } from './tasks/asyncResult'
import type { ResultCallbacks } from './tasks/asyncResult'
import { Cancellation } from './outcomes/cancellation'
import { CommandWorkers } from './workers/commandWorkers'
import { endWorkers, planEnd } from './workers/endWorkers'
import type { EndingRequest } from './workers/endWorkers'
import { PoolFailedError, PoolStateError, QueueFullError, TaskCancelledError } from './terms/errors'
import { ExitedWorkers } from './workers/exitedWorkers'
import { messageOf } from './outcomes/attemptOutcome'
import { FormerWorkers } from './workers/formerWorkers'
import type { MapOptions } from './tasks/map'
import { checkOptions, checkProcesses } from './terms/options'
import type { PoolSettings } from './terms/options'
import { OutputFolder } from './output/outputFolder'
import { PersistentWorkers } from './workers/persistentWorkers'
import { forgetPool, registerPool } from './registry'
import { runtimeOf } from './workers/runtimeOf'
import type { WorkerSet, WorkerSetHooks } from './workers/workerSet'
import { StuckDetector } from './outcomes/stuckDetector'
import { surfaceErrors } from './terms/surfaceErrors'
import { defaultSystem } from './system'
import { describeTask } from './tasks/task'
import type { Task } from './tasks/task'
import { TaskStore } from './tasks/taskStore'
import { TaskSubmission } from './calls/submission'
import type { ApplyOptions, MapAsyncOptions, RunItemsOptions, TaskFunctionName } from './calls/submission'
import { TaskOutcomes } from './outcomes/taskOutcomes'
import type {
  FailureRecord,
  PoolEvents,
  PoolKind,
  PoolOptions,
  PoolState,
  PoolStats,
  ShutdownOptions,
  TaskCounts,
  TaskInfo,
  WorkerInfo,
} from './terms/types'
import { Utilisation } from './workers/utilisation'
import type { Worker } from './workers/worker'

/** A live pool keeps the process alive, also while it has no worker; the longest delay a timer takes. */
const keepAliveMs = 2 ** 31 - 1

/**
 * A pool of worker processes and a queue of tasks: CPython's multiprocessing.Pool with promises instead of blocking
 * calls, one channel per worker instead of shared queues (so a killed worker takes no lock with it), and with knowledge
 * of which task is where. Workers start in the next microtask, so listeners attached right after `new` hear everything.
 * A listener that throws does not harm the pool: its error surfaces as an uncaught exception.
 */
export class Pool extends EventEmitter<PoolEvents> {
  readonly id = `pool-${randomBytes(3).toString('hex')}`
  readonly kind: PoolKind
  readonly name: string
  readonly options: PoolOptions
  readonly startedAt = Date.now()
  readonly #settings: PoolSettings
  readonly #system: ShutdownDependencies
  readonly #store = new TaskStore()
  readonly #submission: TaskSubmission
  readonly #life: TaskOutcomes
  readonly #folder: OutputFolder
  readonly #workerSet: WorkerSet
  readonly #watch: StuckDetector
  readonly #cancellation: Cancellation
  readonly #exited = new ExitedWorkers()
  /** Gone, but something they left behind still holds their output. */
  readonly #leftBehind = new Set<Worker>()
  readonly #formerWorkers = new FormerWorkers()
  /** Commands that have exited and whose output is still being written. */
  readonly #finishing = new Map<Worker, Promise<void>>()
  readonly #whenEnded: (() => void)[] = []
  /** Who waits for room in the queue, in order. */
  readonly #whenRoom: (() => void)[] = []
  readonly #utilisation = new Utilisation()
  readonly #keepAlive: NodeJS.Timeout
  #state: PoolState = 'init'
  #failure: string | null = null
  #endedAt: number | null = null
  #warned = false
  #held = false
  #fillingSoon = false
  #processes: number

  /**
   * @param system where processes are looked up and signals are recorded; default: one for all pools of this process
   * @throws PoolOptionError naming the option that cannot be used
   */
  constructor(options: PoolOptions, system: ShutdownDependencies = defaultSystem) {
    super()
    const settings = checkOptions(options)
    this.#settings = settings
    this.#system = system
    this.options = options
    this.kind = settings.kind
    this.name = settings.name
    this.#folder = new OutputFolder(settings.outputDirectory)
    this.#watch = new StuckDetector(settings.stuckAfterMs, system.processes, {
      running: () => this.#running(),
      judged: (task, worker, verdict, stuck) => {
        this.#life.judged(task, worker, verdict, stuck)
      },
      failed: (error) => {
        this.#warn('a look at the running tasks', error)
      },
    })
    this.#life = this.#makeLife()
    this.#cancellation = this.#makeCancellation()
    this.#processes = settings.processes
    this.#submission = new TaskSubmission(settings, this.#store, {
      cancelTasks: (tasks, reason) => this.#cancellation.all(tasks, reason),
      uncallable: (task, error) => {
        this.#life.uncallable(task, error)
      },
      handedIn: () => {
        this.#fillSoon()
      },
      streamEnded: () => {
        queueMicrotask(() => {
          this.#settleDown()
        })
      },
      processes: () => this.#processes,
    })
    const context = { poolId: this.id, folder: this.#folder, table: system.processes }
    this.#workerSet =
      settings.kind === 'command'
        ? new CommandWorkers(settings, context, this.#workerSetHooks())
        : new PersistentWorkers(settings, runtimeOf(settings), context, this.#workerSetHooks())
    this.#keepAlive = setInterval(() => undefined, keepAliveMs)
    registerPool(this)
    queueMicrotask(() => {
      if (this.#state === 'init') this.#setState('run')
      this.#fill()
    })
  }

  get state(): PoolState {
    return this.#state
  }

  /** Why the pool ended as failed (its workers cannot start), null when it did not. */
  get failure(): string | null {
    return this.#failure
  }

  get endedAt(): number | null {
    return this.#endedAt
  }

  /** How many workers it is to have at a time; see {@link resize}. */
  get processes(): number {
    return this.#processes
  }

  /**
   * Mean run time of the tasks that ended as done, null while there is none. With chunks: of a chunk, which is one
   * task.
   */
  get meanTaskMs(): number | null {
    return this.#utilisation.meanTaskMs
  }

  /** What its tasks took, and how busy its workers were. */
  stats(): PoolStats {
    return {
      counts: this.counts,
      utilisation: this.#utilisation.share([...this.#running()].map(({ task }) => task.elapsedMs)),
      workersStarted: this.#utilisation.workersStarted,
      functions: this.#submission.stats(),
    }
  }

  /** Tasks in each state, of this moment. */
  get counts(): TaskCounts {
    return this.#store.counts
  }

  /** The live workers. */
  get workers(): WorkerInfo[] {
    return [...this.#workerSet.workers].map((worker) => worker.describe())
  }

  /** The last 100 workers that have exited, oldest first. */
  get exitedWorkers(): readonly WorkerInfo[] {
    return this.#exited.last
  }

  /** All workers that have exited. */
  get exitedWorkerCount(): number {
    return this.#exited.count
  }

  /** The last 1000 tasks that did not end as done, oldest first. */
  get failures(): readonly FailureRecord[] {
    return this.#store.failures
  }

  /** All tasks that did not end as done. */
  get failureCount(): number {
    return this.#store.failureCount
  }

  runningTasks(): TaskInfo[] {
    return [...this.#running()].map(({ task }) => describeTask(task))
  }

  /** A task that waits or runs, or one of {@link failures}. */
  task(id: string): TaskInfo | undefined {
    const task = this.#store.find(id) ?? this.#store.findFailure(id)?.task
    return task && describeTask(task)
  }

  /** What a running task has printed last (64 KiB of each stream). */
  outputTail(taskId: string): { stdout: string; stderr: string } | undefined {
    for (const { task, worker } of this.#running()) {
      if (task.id === taskId)
        return { stdout: worker.capture?.tail('stdout') ?? '', stderr: worker.capture?.tail('stderr') ?? '' }
    }
    return undefined
  }

  /** Identity of a live worker, for those who must find it again after this process has ended. */
  async identityOf(pid: number): Promise<ProcessIdentity | undefined> {
    return this.#workerOf(pid)?.identity()
  }

  /**
   * Runs one task and resolves with its result; rejects with the task's own error. Waits for room first when the queue
   * is full. Module and Python pools.
   */
  async apply<T = unknown>(
    fn?: TaskFunctionName,
    args: readonly unknown[] = [],
    options: ApplyOptions<T> = {},
  ): Promise<T> {
    while (this.#isFull) await this.room()
    return this.applyAsync<T>(fn, args, options).get()
  }

  /**
   * Hands in one task. Module and Python pools. Arguments go by structured clone (to Python as JSON), at once: what
   * cannot be sent rejects at once.
   * @throws PoolStateError when the pool takes no more tasks
   * @throws QueueFullError when `maxQueued` tasks wait
   */
  applyAsync<T = unknown>(
    fn: TaskFunctionName = 'default',
    args: readonly unknown[] = [],
    options: ApplyOptions<T> = {},
  ): AsyncResult<T> {
    this.#mustAccept()
    if (this.#isFull) throw new QueueFullError(this.id, this.name, this.#settings.maxQueued)
    return this.#submission.call(fn, args, options)
  }

  /**
   * Calls `fn` with every item, in chunks (`chunkSize`), and resolves with the values in the order of the items. The
   * first error of a chunk rejects it, once all chunks have ended (CPython's map). Module and Python pools.
   */
  async map<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {},
  ): Promise<T[]> {
    return this.#mapAny<T>(fn, items, false, options)
  }

  /** As {@link map}; each item is a list of arguments. */
  async starmap<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
    options: MapOptions = {},
  ): Promise<T[]> {
    return this.#mapAny<T>(fn, items, true, options)
  }

  /**
   * As {@link map}, at once; what the iterable throws is thrown here. @throws PoolStateError when the pool takes no
   * more tasks
   */
  mapAsync<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<unknown>,
    options: MapAsyncOptions<T> = {},
  ): AsyncResult<T[]> {
    this.#mustAccept()
    return this.#submission.map<T>(fn, items, false, options)
  }

  /** As {@link mapAsync}; each item is a list of arguments. */
  starmapAsync<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<readonly unknown[]>,
    options: MapAsyncOptions<T> = {},
  ): AsyncResult<T[]> {
    this.#mustAccept()
    return this.#submission.map<T>(fn, items, true, options)
  }

  /**
   * Results in the order of the items, as they come. The iterable (an async one, or an endless one, too) is read only a
   * little ahead of what is taken; leaving the loop cancels the rest. An error is thrown at its item's place; `next()`
   * goes on after it. Default `chunkSize` 1. @throws PoolStateError when the pool takes no more tasks
   */
  imap<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {},
  ): AsyncIterableIterator<T> {
    this.#mustAccept()
    return this.#submission.imap<T>(fn, items, options, true)
  }

  /** As {@link imap}, in the order in which they end. */
  imapUnordered<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {},
  ): AsyncIterableIterator<T> {
    this.#mustAccept()
    return this.#submission.imap<T>(fn, items, options, false)
  }

  /**
   * Resolves when the queue has room (`maxQueued`), at once when it has. @throws PoolStateError when the pool takes no
   * more tasks
   */
  async room(): Promise<void> {
    this.#mustAccept()
    while (this.#isFull) {
      await new Promise<void>((resolve) => {
        this.#whenRoom.push(resolve)
      })
      this.#mustAccept()
    }
  }

  /**
   * From now on it has this many workers: missing ones are started, those that are too many leave after their task.
   * @throws PoolOptionError when it is not a whole number from 1 on
   */
  resize(processes: number): void {
    checkProcesses(processes)
    this.#processes = processes
    if (this.#state === 'init')
      queueMicrotask(() => {
        this.resize(processes)
      })
    else if (this.#state === 'run' || this.#state === 'close') this.#workerSet.resize(processes)
  }

  /** No task begins from now on, until {@link resume}: what was sent ahead is taken back. Running tasks go on. */
  hold(): void {
    if (this.#held) return
    this.#held = true
    this.#workerSet.hold()
  }

  /** Tasks begin again. */
  resume(): void {
    this.#held = false
    this.#fill()
  }

  /**
   * Hands in one item: the module's export is called with it, or `${item}` and `${index}` are replaced in the command.
   * @throws PoolStateError when the pool takes no more tasks
   */
  runItem(item: unknown, index: number, options: ResultCallbacks<unknown> = {}): AsyncResult {
    this.#mustAccept()
    return this.#submission.item(item, index, options)
  }

  /**
   * Hands in many items. They are taken one by one as workers get free, so a million cost nothing while they wait.
   * `done` resolves when every item has ended, in whatever state; it rejects only with what the iterable itself throws.
   * @throws PoolStateError when the pool takes no more tasks
   */
  runItems(items: Iterable<unknown>, options: RunItemsOptions = {}): { done: Promise<void> } {
    this.#mustAccept()
    return { done: this.#submission.items(items, options) }
  }

  /**
   * Runs a task of {@link failures} once more, as a new task. @throws PoolStateError when it is not known or the pool
   * takes no more tasks
   */
  retryTask(id: string): AsyncResult {
    this.#mustAccept()
    const failed = this.#store.findFailure(id)
    if (failed === undefined)
      throw new PoolStateError(`${id} is not among the failed tasks of ${this.name}`, this.id, this.#state)
    return this.#submission.again(failed.task)
  }

  /** No more tasks; the pool ends by itself once everything is done. */
  close(): void {
    if (this.#state !== 'init' && this.#state !== 'run') return
    this.#setState('close')
    this.#wakeForRoom()
    this.#submission.close()
    this.#settleDown()
  }

  /**
   * Resolves when the pool has ended. @throws PoolStateError while it is neither closed nor terminated (it would never
   * end)
   */
  join(): Promise<void> {
    if (this.#state === 'init' || this.#state === 'run') {
      return Promise.reject(
        new PoolStateError(
          `${this.name} is still running: close() or terminate() it before join()`,
          this.id,
          this.#state,
        ),
      )
    }
    if (this.#state === 'ended') return Promise.resolve()
    return new Promise((resolve) => this.#whenEnded.push(resolve))
  }

  /** Ends every worker: asked first, then SIGTERM, then SIGKILL with `useSigkill`. Returns what could not be ended. */
  async terminate(options: { gracePeriodMs?: number; useSigkill?: boolean } = {}): Promise<string[]> {
    const report = await this.shutdown({ ...options, kill: false, askedBy: 'api', reason: 'terminate()' })
    return [...report.issues]
  }

  /** Ends every worker by SIGKILL. Returns what could not be ended. */
  async kill(): Promise<string[]> {
    const report = await this.shutdown({ kill: true, askedBy: 'api', reason: 'kill()' })
    return [...report.issues]
  }

  /**
   * Ends the pool through the shutdown core. Waiting tasks are cancelled, those in flight are lost with their workers
   * (one that finishes up within the first pass is done). With survivors the pool stays in `terminate` until they are
   * gone. Safe to call again, also at the same time: the second call still sees survivors. What workers that are gone
   * already left running is ended too, unless the pool has ended by itself before: then a task may have meant it to
   * stay.
   */
  async shutdown(options: ShutdownOptions): Promise<ShutdownReport> {
    const report = await this.#endWorkers(
      { id: this.id, name: this.name },
      [...this.#workerSet.workers],
      options,
      () => {
        this.#stop(options.reason)
      },
    )
    // What survived must not keep our own process alive for ever.
    this.#keepAlive.unref()
    for (const worker of this.#workerSet.workers) worker.unref()
    for (const worker of this.#leftBehind) worker.closePipes()
    this.#leftBehind.clear()
    if (report.issues.length === 0 && this.#workerSet.workers.size === 0) forgetPool(this)
    this.#settleDown()
    this.#tell('shutdown', () => [report, options])
    return report
  }

  /**
   * Ends one worker through the shutdown core; the pool replaces it, its task is lost (or runs again, with `retries`).
   */
  async shutdownWorker(pid: number, options: ShutdownOptions): Promise<ShutdownReport> {
    const worker = this.#workerOf(pid)
    const report = await this.#endWorkers(this.#subjectOf(worker, pid), worker ? [worker] : [], options)
    this.#tell('shutdown', () => [report, options])
    return report
  }

  /** What {@link shutdown}, or with a pid {@link shutdownWorker}, would do now; only looks. */
  async planShutdown(options: ShutdownOptions, pid?: number): Promise<ShutdownPlan> {
    if (pid === undefined)
      return planEnd(
        this.#endingOf({ id: this.id, name: this.name }, [...this.#workerSet.workers], options, true),
        this.#system,
      )
    const worker = this.#workerOf(pid)
    const plan = await planEnd(
      this.#endingOf(this.#subjectOf(worker, pid), worker ? [worker] : [], options, false),
      this.#system,
    )
    const task = worker?.task?.state === 'running' ? worker.task : undefined
    const goesOn =
      this.kind === 'command' ? 'The pool goes on with its next item' : 'The pool starts another worker in its place'
    const taskEnds =
      task === undefined
        ? ''
        : task.attempt <= this.#settings.retries
          ? `; ${task.label} runs again`
          : `; ${task.label} is lost`
    return { ...plan, consequence: `${goesOn}${taskEnds}.` }
  }

  /** SIGKILL for one worker. Returns what could not be ended. */
  async killWorker(pid: number): Promise<string[]> {
    const report = await this.shutdownWorker(pid, { kill: true, askedBy: 'api', reason: 'killWorker()' })
    return [...report.issues]
  }

  /**
   * A waiting task leaves the queue; of a running one the worker is ended, up to SIGKILL (a cancel that leaves the task
   * running would be none). Never runs again. Resolves with the issues once that is done; nothing happens when it has
   * ended already.
   */
  cancelTask(id: string, reason = 'cancelTask()'): Promise<string[]> {
    return this.#cancel(id, { kill: false, useSigkill: true, askedBy: 'api', reason })
  }

  /** As {@link cancelTask}, straight to SIGKILL. */
  killTask(id: string, reason = 'killTask()'): Promise<string[]> {
    return this.#cancel(id, { kill: true, askedBy: 'api', reason })
  }

  /** Removes temporary output. The pool should have ended. */
  dispose(): void {
    this.#folder.dispose()
  }

  /** `await using`: as CPython's `with`, which terminates. What cannot be ended is reported as a process warning. */
  async [Symbol.asyncDispose](): Promise<void> {
    const issues = await this.terminate()
    this.dispose()
    for (const issue of issues) process.emitWarning(issue, { type: 'UnhangWarning' })
  }

  async #cancel(id: string, options: ShutdownOptions): Promise<string[]> {
    const task = this.#store.find(id)
    return task === undefined ? [] : this.#cancellation.one(task, options)
  }

  /** If it has not begun, it waits in the queue from here on, until this turn is over. */
  #takeBack(task: Task): void {
    if (task.place === 'queue' || (task.state !== 'queued' && task.state !== 'running')) return
    this.#workerSet.takeBack(task)
    this.#fillSoon()
  }

  async #mapAny<T>(
    fn: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    star: boolean,
    options: MapOptions,
  ): Promise<T[]> {
    this.#mustAccept()
    const result =
      Symbol.asyncIterator in items
        ? await this.#submission.mapLater<T>(fn, items, star, options)
        : this.#submission.map<T>(fn, items, star, options)
    return result.get()
  }

  get #isFull(): boolean {
    return this.#store.queueLength >= this.#settings.maxQueued && (this.#state === 'init' || this.#state === 'run')
  }

  /** Each of those that wait looks again. */
  #wakeForRoom(): void {
    if (this.#whenRoom.length === 0) return
    for (const wake of this.#whenRoom.splice(0)) wake()
  }

  #subjectOf(worker: Worker | undefined, pid: number): ShutdownReport['subject'] {
    return { id: `${this.id}/${worker?.name ?? pid}`, name: worker?.name ?? `pid ${pid}`, kind: 'worker' }
  }

  /** @param whole of the pool: what its former workers left running ends as well. */
  #endingOf(
    subject: ShutdownReport['subject'],
    workers: readonly Worker[],
    options: ShutdownOptions,
    whole: boolean,
  ): EndingRequest {
    return {
      subject,
      workers,
      leftBehind: whole ? [...this.#leftBehind] : [],
      ...(whole ? { formerWorkers: this.#formerWorkers } : {}),
      options,
      gracePeriodMs: options.gracePeriodMs ?? this.#settings.gracePeriodMs,
      useSigkill: options.useSigkill ?? this.#settings.useSigkill,
      endedLater: (report) => {
        this.#tell('shutdown', () => [report, options])
      },
    }
  }

  async #endWorkers(
    subject: ShutdownReport['subject'],
    workers: readonly Worker[],
    options: ShutdownOptions,
    stopRefill?: () => void,
  ): Promise<ShutdownReport> {
    const request = this.#endingOf(subject, workers, options, stopRefill !== undefined)
    const report = await endWorkers({ ...request, ...(stopRefill ? { stopRefill } : {}) }, this.#system)
    await Promise.all(workers.map((worker) => this.#finishing.get(worker) ?? Promise.resolve()))
    for (const worker of workers) {
      if (!worker.exited) this.#tell('workerChange', () => [worker.describe()])
    }
    return report
  }

  /** Running tasks and who runs them. */
  *#running(): Generator<{ task: Task; worker: Worker }> {
    for (const worker of this.#workerSet.workers) {
      if (worker.task?.state === 'running') yield { task: worker.task, worker }
    }
  }

  #workerOf(pid: number): Worker | undefined {
    if (pid <= 0) return undefined
    for (const worker of this.#workerSet.workers) if (worker.pid === pid && !worker.exited) return worker
    return undefined
  }

  #makeLife(): TaskOutcomes {
    return new TaskOutcomes({
      settings: this.#settings,
      store: this.#store,
      watch: this.#watch,
      tell: (event, makeArguments) => {
        this.#tell(event, makeArguments)
      },
      state: () => this.#state,
      runs: (task, worker) => {
        this.#takeBack(task)
        return worker.isAt(task)
      },
      endWorker: (worker, options, failed) => {
        this.#inBackground(this.shutdownWorker(worker.pid, options), failed)
      },
      ran: (well, ms) => {
        this.#utilisation.taskRan(well, ms)
      },
      softTimeout: (worker, task) => this.#workerSet.softTimeout(worker, task),
      endPool: (options) => {
        this.#inBackground(this.shutdown(options))
      },
      fill: () => {
        this.#fill()
      },
      taskEnded: () => {
        this.#settleDown()
      },
    })
  }

  #makeCancellation(): Cancellation {
    return new Cancellation({
      takeBack: (task) => {
        this.#takeBack(task)
      },
      cancelWaiting: (task, reason) => {
        this.#life.cancelWaiting(task, reason)
        if (!this.#isFull) this.#wakeForRoom()
      },
      workerOf: (task) => [...this.#workerSet.workers, ...this.#finishing.keys()].find((worker) => worker.has(task)),
      finished: (worker) => this.#finishing.get(worker),
      shutdownWorker: (pid, options) => this.shutdownWorker(pid, options),
    })
  }

  #workerSetHooks(): WorkerSetHooks {
    return {
      nextTask: () => this.#nextTask(),
      putBack: (task) => {
        this.#putBack(task)
      },
      waiting: () => (this.#held ? 0 : this.#store.backlog),
      workerStarted: (worker) => {
        this.#utilisation.workerStarted(worker)
        this.#tell('workerStart', () => [worker.describe()])
      },
      workerChanged: (worker) => {
        this.#tell('workerChange', () => [worker.describe()])
      },
      workerGone: (worker) => {
        this.#workerGone(worker)
      },
      taskStarted: (task, worker) => {
        this.#life.started(task, worker)
      },
      taskEnded: (worker, task, outcome) => {
        this.#life.answered(task, worker, outcome)
      },
      taskNotStarted: (task, error) => {
        this.#life.notStarted(task, error)
      },
      taskUncallable: (task) => {
        this.#life.uncallable(task, task.incident.callError)
      },
      output: (worker, taskId, stream, chunk) => {
        this.#tell('output', () => [{ worker: worker.name, taskId, stream, chunk }])
      },
      // It is of no use any more: without SIGKILL one that catches SIGTERM would keep the pool from ever ending.
      endWorker: (worker, reason) => {
        this.#inBackground(
          this.shutdownWorker(worker.pid, { kill: false, useSigkill: true, askedBy: 'policy', reason }),
        )
      },
      failed: (facts, cause) => {
        this.#fail(facts, cause)
      },
    }
  }

  /**
   * Nobody waits for this: what it rejects with (no file descriptors left, say) is a warning and must not end the
   * user's process.
   */
  #inBackground(work: Promise<unknown>, failed?: () => void): void {
    work.catch((error: unknown) => {
      this.#warn('a shutdown', error)
      failed?.()
    })
  }

  /** Once for a pool: what fails for one worker fails for the next in the same way. */
  #warn(what: string, error: unknown): void {
    if (this.#warned) return
    this.#warned = true
    process.emitWarning(`${what} of ${this.name} (${this.id}) failed: ${messageOf(error)}`, { type: 'UnhangWarning' })
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

  /** It has not begun: the next worker takes it, unless it is not wanted any more. */
  #putBack(task: Task): void {
    const { intent } = task
    if (task.state === 'running') this.#life.notBegun(task)
    const mayRun = this.#state === 'run' || this.#state === 'close'
    if (mayRun && intent?.kind !== 'cancel') this.#store.putBack(task)
    else
      this.#life.dropped(
        task,
        new TaskCancelledError(task.id, task.label, intent?.kind === 'cancel' ? intent.reason : 'the pool was ended'),
      )
  }

  #fill(): void {
    if (this.#state === 'run' || this.#state === 'close') this.#workerSet.fill()
  }

  #nextTask(): Task | undefined {
    if (this.#held || (this.#state !== 'run' && this.#state !== 'close')) return undefined
    const task = this.#store.next()
    // Only asking for one more tells that an iterable has no more items.
    if (task === undefined && this.#state === 'close' && this.#isDone)
      queueMicrotask(() => {
        this.#settleDown()
      })
    if (this.#whenRoom.length > 0 && !this.#isFull) this.#wakeForRoom()
    return task
  }

  /** Closed, and nothing is left to do. */
  get #isDone(): boolean {
    return this.#state === 'close' && this.#store.empty && !this.#submission.open
  }

  #workerGone(worker: Worker): void {
    this.#utilisation.workerGone(worker)
    if (worker.pipesHeld) this.#leftBehind.add(worker)
    this.#formerWorkers.add(worker)
    const outcome = worker.task?.state === 'running' ? this.#life.workerGone(worker.task, worker) : undefined
    for (const task of worker.unknown) {
      this.#life.started(task, worker)
      void this.#life.workerGone(task, worker)
    }
    if (outcome === undefined) {
      this.#showExit(worker)
      return
    }
    const finishing = outcome.then(() => {
      this.#finishing.delete(worker)
      this.#showExit(worker)
    })
    this.#finishing.set(worker, finishing)
  }

  #showExit(worker: Worker): void {
    const now = worker.describe()
    // A task that runs again has gone on to another worker: what this one took with it was lost.
    const info =
      now.task?.state === 'queued' || now.task?.state === 'running'
        ? { ...now, task: { ...now.task, state: 'lost' as const } }
        : now
    this.#exited.add(info)
    this.#tell('workerExit', () => [info])
    this.#settleDown()
  }

  #fail(facts: Omit<CrashLoopFacts, 'pool'>, cause: unknown): void {
    const { summary } = crashLoop({ ...facts, pool: this.name })
    this.#failure = summary
    const error = new PoolFailedError(summary, this.id, facts.exits, facts.stderrTail, { cause })
    this.#tell('failed', () => [summary])
    for (const task of this.#store.takeOutAll()) this.#life.dropped(task, error)
    this.#inBackground(this.shutdown({ kill: false, askedBy: 'policy', reason: summary }))
  }

  #mustAccept(): void {
    if (this.#state === 'init' || this.#state === 'run') return
    throw new PoolStateError(
      `${this.name} takes no more tasks: it is in state ` +
        `${this.#state}${this.#failure === null ? '' : ` (${this.#failure})`}`,
      this.id,
      this.#state,
    )
  }

  /** No worker and no task is started from here on. */
  #stop(reason: string): void {
    this.#workerSet.stop()
    if (this.#state === 'terminate' || this.#state === 'ended') return
    this.#setState('terminate')
    this.#wakeForRoom()
    this.#submission.abort(new PoolStateError(`${this.name} was ended: ${reason}`, this.id, 'terminate'))
    for (const task of this.#store.takeOutAll()) {
      this.#life.dropped(task, new TaskCancelledError(task.id, task.label, `the pool was ended: ${reason}`))
    }
  }

  /** Ends the pool if nothing is left to do. */
  #settleDown(): void {
    const isDone = this.#isDone
    if (isDone) this.#workerSet.dismiss()
    if (this.#workerSet.workers.size > 0 || this.#finishing.size > 0 || (this.#state !== 'terminate' && !isDone)) return
    this.#workerSet.stop()
    this.#watch.stop()
    clearInterval(this.#keepAlive)
    this.#endedAt = Date.now()
    if (isDone) this.#formerWorkers.forget()
    if (this.#leftBehind.size === 0) forgetPool(this)
    this.#setState('ended')
    for (const resolve of this.#whenEnded.splice(0)) resolve()
  }

  #setState(state: PoolState): void {
    this.#state = state
    this.#tell('stateChange', () => [state])
  }

  /** Costs nothing when nobody listens. */
  #tell<E extends keyof PoolEvents>(event: E, makeArguments: () => PoolEvents[E]): void {
    if (this.listenerCount(event) > 0) surfaceErrors(() => (this as EventEmitter).emit(event, ...makeArguments()))
  }
}
