import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { ProcessIdentity } from '../processes'
import type { ShutdownDependencies, ShutdownPlan, ShutdownReport } from '../shutdown'
import type { ApplyOptions, MapAsyncOptions, RunItemsOptions, TaskFunctionName } from './calls/submission'
import { forgetPool, registerPool } from './registry'
import { PoolRun } from './run/poolRun'
import { defaultSystem } from './system'
import type { AsyncResult, ResultCallbacks } from './tasks/asyncResult'
import type { MapOptions } from './tasks/map'
import { describeTask } from './tasks/task'
import { PoolStateError, QueueFullError } from './terms/errors'
import { checkOptions, checkProcesses } from './terms/options'
import { surfaceErrors } from './terms/surfaceErrors'
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
  readonly #run: PoolRun

  /**
   * @param system where processes are looked up and signals are recorded; default: one for all pools of this process
   * @throws PoolOptionError naming the option that cannot be used
   */
  constructor(options: PoolOptions, system: ShutdownDependencies = defaultSystem) {
    super()
    const settings = checkOptions(options)
    this.options = options
    this.kind = settings.kind
    this.name = settings.name
    this.#run = new PoolRun({
      id: this.id,
      settings,
      system,
      tell: (event, makeArguments) => {
        this.#tell(event, makeArguments)
      },
      forget: () => {
        forgetPool(this)
      },
    })
    registerPool(this)
  }

  get state(): PoolState {
    return this.#run.state
  }

  /** Why the pool ended as failed (its workers cannot start), null when it did not. */
  get failure(): string | null {
    return this.#run.failure
  }

  get endedAt(): number | null {
    return this.#run.endedAt
  }

  /** How many workers it is to have at a time; see {@link resize}. */
  get processes(): number {
    return this.#run.processes
  }

  /**
   * Mean run time of the tasks that ended as done, null while there is none. With chunks: of a chunk, which is one
   * task.
   */
  get meanTaskMs(): number | null {
    return this.#run.utilisation.meanTaskMs
  }

  /** What its tasks took, and how busy its workers were. */
  stats(): PoolStats {
    return {
      counts: this.counts,
      utilisation: this.#run.utilisation.share([...this.#run.running].map(({ task }) => task.elapsedMs)),
      workersStarted: this.#run.utilisation.workersStarted,
      functions: this.#run.submission.stats(),
    }
  }

  /** Tasks in each state, of this moment. */
  get counts(): TaskCounts {
    return this.#run.store.counts
  }

  /** The live workers. */
  get workers(): WorkerInfo[] {
    return [...this.#run.workerSet.workers].map((worker) => worker.describe())
  }

  /** The last 100 workers that have exited, oldest first. */
  get exitedWorkers(): readonly WorkerInfo[] {
    return this.#run.exits.exited.last
  }

  /** All workers that have exited. */
  get exitedWorkerCount(): number {
    return this.#run.exits.exited.count
  }

  /** The last 1000 tasks that did not end as done, oldest first. */
  get failures(): readonly FailureRecord[] {
    return this.#run.store.failures
  }

  /** All tasks that did not end as done. */
  get failureCount(): number {
    return this.#run.store.failureCount
  }

  runningTasks(): TaskInfo[] {
    return [...this.#run.running].map(({ task }) => describeTask(task))
  }

  /** A task that waits or runs, or one of {@link failures}. */
  task(id: string): TaskInfo | undefined {
    const task = this.#run.store.find(id) ?? this.#run.store.findFailure(id)?.task
    return task && describeTask(task)
  }

  /** What a running task has printed last (64 KiB of each stream). */
  outputTail(taskId: string): { stdout: string; stderr: string } | undefined {
    return this.#run.running.outputTail(taskId)
  }

  /** Identity of a live worker, for those who must find it again after this process has ended. */
  async identityOf(pid: number): Promise<ProcessIdentity | undefined> {
    return this.#run.shutdown.workerOf(pid)?.identity()
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
    while (this.#run.room.isFull) await this.#run.room.wait()
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
    this.#run.mustAccept()
    if (this.#run.room.isFull) throw new QueueFullError(this.id, this.name, this.#run.room.maxQueued)
    return this.#run.submission.call(fn, args, options)
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
    this.#run.mustAccept()
    return this.#run.submission.mapAny<T>(fn, items, false, options)
  }

  /** As {@link map}; each item is a list of arguments. */
  async starmap<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
    options: MapOptions = {},
  ): Promise<T[]> {
    this.#run.mustAccept()
    return this.#run.submission.mapAny<T>(fn, items, true, options)
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
    this.#run.mustAccept()
    return this.#run.submission.map<T>(fn, items, false, options)
  }

  /** As {@link mapAsync}; each item is a list of arguments. */
  starmapAsync<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<readonly unknown[]>,
    options: MapAsyncOptions<T> = {},
  ): AsyncResult<T[]> {
    this.#run.mustAccept()
    return this.#run.submission.map<T>(fn, items, true, options)
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
    this.#run.mustAccept()
    return this.#run.submission.imap<T>(fn, items, options, true)
  }

  /** As {@link imap}, in the order in which they end. */
  imapUnordered<T = unknown>(
    fn: TaskFunctionName,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {},
  ): AsyncIterableIterator<T> {
    this.#run.mustAccept()
    return this.#run.submission.imap<T>(fn, items, options, false)
  }

  /**
   * Resolves when the queue has room (`maxQueued`), at once when it has. @throws PoolStateError when the pool takes no
   * more tasks
   */
  async room(): Promise<void> {
    return this.#run.room.wait()
  }

  /**
   * From now on it has this many workers: missing ones are started, those that are too many leave after their task.
   * @throws PoolOptionError when it is not a whole number from 1 on
   */
  resize(processes: number): void {
    checkProcesses(processes)
    this.#run.resize(processes)
  }

  /** No task begins from now on, until {@link resume}: what was sent ahead is taken back. Running tasks go on. */
  hold(): void {
    this.#run.hold()
  }

  /** Tasks begin again. */
  resume(): void {
    this.#run.resume()
  }

  /**
   * Hands in one item: the module's export is called with it, or `${item}` and `${index}` are replaced in the command.
   * @throws PoolStateError when the pool takes no more tasks
   */
  runItem(item: unknown, index: number, options: ResultCallbacks<unknown> = {}): AsyncResult {
    this.#run.mustAccept()
    return this.#run.submission.item(item, index, options)
  }

  /**
   * Hands in many items. They are taken one by one as workers get free, so a million cost nothing while they wait.
   * `done` resolves when every item has ended, in whatever state; it rejects only with what the iterable itself throws.
   * @throws PoolStateError when the pool takes no more tasks
   */
  runItems(items: Iterable<unknown>, options: RunItemsOptions = {}): { done: Promise<void> } {
    this.#run.mustAccept()
    return { done: this.#run.submission.items(items, options) }
  }

  /**
   * Runs a task of {@link failures} once more, as a new task. @throws PoolStateError when it is not known or the pool
   * takes no more tasks
   */
  retryTask(id: string): AsyncResult {
    this.#run.mustAccept()
    const failed = this.#run.store.findFailure(id)
    if (failed === undefined)
      throw new PoolStateError(`${id} is not among the failed tasks of ${this.name}`, this.id, this.state)
    return this.#run.submission.again(failed.task)
  }

  /** No more tasks; the pool ends by itself once everything is done. */
  close(): void {
    this.#run.close()
  }

  /**
   * Resolves when the pool has ended. @throws PoolStateError while it is neither closed nor terminated (it would never
   * end)
   */
  async join(): Promise<void> {
    const { state, name } = this
    if (state === 'init' || state === 'run')
      throw new PoolStateError(`${name} is still running: close() or terminate() it before join()`, this.id, state)
    return this.#run.whenEnded()
  }

  /** Ends every worker: asked first, then SIGTERM, then SIGKILL with `useSigkill`. Returns what could not be ended. */
  async terminate(options: { gracePeriodMs?: number; useSigkill?: boolean } = {}): Promise<string[]> {
    const report = await this.shutdown({ ...options, kill: false, askedBy: 'api', reason: 'terminate()' })
    return [...report.issues]
  }

  /** Ends every worker by SIGKILL. Returns what could not be ended. */
  async kill(): Promise<string[]> {
    const { issues } = await this.shutdown({ kill: true, askedBy: 'api', reason: 'kill()' })
    return [...issues]
  }

  /**
   * Ends the pool through the shutdown core. Waiting tasks are cancelled, those in flight are lost with their workers
   * (one that finishes up within the first pass is done). With survivors the pool stays in `terminate` until they are
   * gone. Safe to call again, also at the same time: the second call still sees survivors. What workers that are gone
   * already left running is ended too, unless the pool has ended by itself before: then a task may have meant it to
   * stay.
   */
  async shutdown(options: ShutdownOptions): Promise<ShutdownReport> {
    return this.#run.shutdown.all(options)
  }

  /**
   * Ends one worker through the shutdown core; the pool replaces it, its task is lost (or runs again, with `retries`).
   */
  async shutdownWorker(pid: number, options: ShutdownOptions): Promise<ShutdownReport> {
    return this.#run.shutdown.one(pid, options)
  }

  /** The plan of {@link shutdown}, or with a pid of {@link shutdownWorker}; sends no signal. */
  async planShutdown(options: ShutdownOptions, pid?: number): Promise<ShutdownPlan> {
    return this.#run.shutdown.plan(options, pid)
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
    return this.#run.cancelTask(id, { kill: false, useSigkill: true, askedBy: 'api', reason })
  }

  /** As {@link cancelTask}, straight to SIGKILL. */
  killTask(id: string, reason = 'killTask()'): Promise<string[]> {
    return this.#run.cancelTask(id, { kill: true, askedBy: 'api', reason })
  }

  /** Removes temporary output. The pool should have ended. */
  dispose(): void {
    this.#run.folder.dispose()
  }

  /** `await using`: as CPython's `with`, which terminates. What cannot be ended is reported as a process warning. */
  async [Symbol.asyncDispose](): Promise<void> {
    const issues = await this.terminate()
    this.dispose()
    for (const issue of issues) process.emitWarning(issue, { type: 'UnhangWarning' })
  }

  /** Costs nothing when nobody listens. */
  #tell<E extends keyof PoolEvents>(event: E, makeArguments: () => PoolEvents[E]): void {
    if (this.listenerCount(event) > 0) surfaceErrors(() => (this as EventEmitter).emit(event, ...makeArguments()))
  }
}
