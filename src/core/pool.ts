import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { serialize } from 'node:v8'
import { crashLoop } from '../diagnosis'
import type { Verdict } from '../diagnosis'
import type { ProcessIdentity } from '../processes'
import type { ShutdownDependencies, ShutdownReport } from '../shutdown'
import { AsyncResult } from './async-result'
import type { ResultCallbacks } from './async-result'
import { CommandStaff } from './command-staff'
import { CommandWorker } from './command-worker'
import { endWorkers } from './endings'
import { PoolFailedError, PoolStateError, SerializationError, TaskCancelledError } from './errors'
import { fateOfCommand, fateOfLostTask, messageOf } from './fate'
import type { Fate, FateRules } from './fate'
import { FormerWorkers } from './former-workers'
import { ItemSource } from './item-source'
import { callLabel, commandLabel } from './labels'
import { ModuleStaff } from './module-staff'
import { checkOptions, findModule } from './options'
import type { PoolSettings } from './options'
import { OutputFolder } from './output-folder'
import { forgetPool, registerPool } from './registry'
import type { Staff, StaffHooks } from './staff'
import { StuckWatch } from './stuck-watch'
import { defaultSystem } from './system'
import { describeTask, Task } from './task'
import type { ModuleCall } from './task'
import { TaskBook } from './task-book'
import type { FailureRecord, PoolEvents, PoolKind, PoolOptions, PoolState, ShutdownOptions, TaskCounts, TaskEndDetail, TaskInfo, WorkerInfo } from './types'
import type { TaskOutcome, Worker } from './worker'

/** Exited workers that stay visible with their exit codes. */
const keptExitedWorkers = 100
/** A live pool keeps the process alive, also while it has no worker; the longest delay a timer takes. */
const keepAliveMs = 2 ** 31 - 1
/** A kill that was due could not be carried out: until it is tried again. */
const retryMs = 1000

/** Which function a task calls: an export of the pool's module, or of another one (path relative to the pool's `cwd`). */
export type TaskFunctionName = string | { readonly module: string; readonly name: string }

export interface ApplyOptions<T> extends ResultCallbacks<T> {
  /** Shown for the task. Default: the call, `resize(img_7.png)`. */
  readonly label?: string
  readonly index?: number
}

export interface RunItemsOptions {
  /** How many items there are, for counts and progress, when the iterable is not an array. */
  readonly total?: number
  /** Called with each item's result; without it results stay in the workers. */
  readonly onResult?: (index: number, value: unknown) => void
}

/**
 * A pool of worker processes and a queue of tasks: CPython's multiprocessing.Pool with promises instead of blocking calls,
 * one channel per worker instead of shared queues (so a killed worker takes no lock with it), and with knowledge of which task
 * is where. Workers start in the next microtask, so listeners attached right after `new` hear everything. A listener that
 * throws does not harm the pool: its error surfaces as an uncaught exception.
 */
export class Pool extends EventEmitter<PoolEvents> {
  readonly id = `pool-${randomBytes(3).toString('hex')}`
  readonly kind: PoolKind
  readonly name: string
  readonly options: PoolOptions
  readonly startedAt = Date.now()
  readonly #settings: PoolSettings
  readonly #system: ShutdownDependencies
  readonly #book = new TaskBook()
  readonly #folder: OutputFolder
  readonly #staff: Staff
  readonly #watch: StuckWatch
  readonly #exitedWorkers: WorkerInfo[] = []
  /** Gone, but something they left behind still holds their output. */
  readonly #leftBehind = new Set<Worker>()
  readonly #formerWorkers = new FormerWorkers()
  readonly #whenEnded: (() => void)[] = []
  #state: PoolState = 'init'
  #failure: string | null = null
  #endedAt: number | null = null
  #exitedWorkerCount = 0
  #lastTask = 0
  #warned = false
  /** Commands that have exited and whose output is still being written. */
  #finishing = 0
  readonly #keepAlive: NodeJS.Timeout

  /** @throws PoolOptionError naming the option that cannot be used */
  constructor(options: PoolOptions, system: ShutdownDependencies = defaultSystem) {
    super()
    const settings = checkOptions(options)
    this.#settings = settings
    this.#system = system
    this.options = options
    this.kind = settings.kind
    this.name = settings.name
    this.#folder = new OutputFolder(settings.outputDirectory)
    const context = { poolId: this.id, folder: this.#folder, table: system.processes }
    const hooks = this.#staffHooks()
    this.#staff = settings.kind === 'module' ? new ModuleStaff(settings, context, hooks) : new CommandStaff(settings, context, hooks)
    this.#watch = new StuckWatch(settings.stuckAfterMs, system.processes, {
      running: () => this.#running(),
      judged: (task, worker, verdict, stuck) => { this.#judged(task, worker, verdict, stuck) },
      failed: (error) => { this.#warn('a look at the running tasks', error) },
    })
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

  /** Why the pool ended as failed, null when it did not. */
  get failure(): string | null {
    return this.#failure
  }

  get endedAt(): number | null {
    return this.#endedAt
  }

  /** Tasks in each state, of this moment. */
  get counts(): TaskCounts {
    return this.#book.counts
  }

  /** The live workers. */
  get workers(): WorkerInfo[] {
    return [...this.#staff.workers].map((worker) => worker.describe())
  }

  /** The last 100 workers that have exited, oldest first. */
  get exitedWorkers(): readonly WorkerInfo[] {
    return this.#exitedWorkers
  }

  /** All workers that have exited. */
  get exitedWorkerCount(): number {
    return this.#exitedWorkerCount
  }

  /** The last 1000 tasks that did not end as done, oldest first. */
  get failures(): readonly FailureRecord[] {
    return this.#book.failures
  }

  /** All tasks that did not end as done. */
  get failureCount(): number {
    return this.#book.failureCount
  }

  runningTasks(): TaskInfo[] {
    return [...this.#running()].map(({ task }) => describeTask(task))
  }

  /** A task that waits or runs, or one of {@link failures}. */
  task(id: string): TaskInfo | undefined {
    const task = this.#book.find(id) ?? this.#book.findFailure(id)?.task
    return task && describeTask(task)
  }

  /** What a running task has printed last (64 KiB of each stream). */
  outputTail(taskId: string): { stdout: string; stderr: string } | undefined {
    for (const { task, worker } of this.#running()) {
      if (task.id === taskId) return { stdout: worker.capture?.tail('stdout') ?? '', stderr: worker.capture?.tail('stderr') ?? '' }
    }
    return undefined
  }

  /** Identity of a live worker, for those who must find it again after this process has ended. */
  async identityOf(pid: number): Promise<ProcessIdentity | undefined> {
    return this.#workerOf(pid)?.identity()
  }

  /** Runs one task and resolves with its result; rejects with the task's own error. Module pools. */
  apply<T = unknown>(fn?: TaskFunctionName, args: readonly unknown[] = [], options: ApplyOptions<T> = {}): Promise<T> {
    return this.applyAsync<T>(fn, args, options).get()
  }

  /**
   * Hands in one task. Module pools. Arguments go by structured clone, at once: what cannot be cloned rejects at once.
   * @throws PoolStateError when the pool takes no more tasks
   */
  applyAsync<T = unknown>(fn: TaskFunctionName = 'default', args: readonly unknown[] = [], options: ApplyOptions<T> = {}): AsyncResult<T> {
    const settings = this.#settings
    if (settings.kind !== 'module') throw new TypeError('applyAsync calls an export of a module; a command pool runs items: use runItem')
    this.#mustAccept()
    const other = typeof fn === 'string' ? undefined : findModule(fn.module, settings.cwd)
    const name = typeof fn === 'string' ? fn : fn.name
    const label = options.label ?? callLabel(other?.module ?? settings.module, name, args)
    return this.#handIn<T>(options.index ?? -1, label, undefined, options, () => ({
      fn: name, module: other?.module ?? null, args: cloned(args), keepResult: true,
    }))
  }

  /** Hands in one item: the module's export is called with it, or `${item}` and `${index}` are replaced in the command. */
  runItem(item: unknown, index: number, options: ResultCallbacks<unknown> = {}): AsyncResult {
    this.#mustAccept()
    return this.#handIn(index, this.#itemLabel(item, index), item, options, () => this.#itemCall(item, true))
  }

  /**
   * Hands in many items. They are taken one by one as workers get free, so a million cost nothing while they wait.
   * `done` resolves when every item has ended, in whatever state; it rejects only with what the iterable itself throws.
   */
  runItems(items: Iterable<unknown>, options: RunItemsOptions = {}): { done: Promise<void> } {
    this.#mustAccept()
    const source = new ItemSource(items, options.total)
    const { onResult } = options
    this.#book.addSource(source, (item, index) => {
      const settle = onResult && {
        resolve: (value: unknown) => { surfaceErrors(() => { onResult(index, value) }) },
        reject: () => undefined,
      }
      const task = (call: ModuleCall | null) => new Task(++this.#lastTask, index, call, item, settle ?? null, this.#itemLabel(item, index))
      try {
        return task(this.#itemCall(item, onResult !== undefined))
      } catch (error) {
        const uncallable = task(null)
        uncallable.callError = error
        return uncallable
      }
    })
    this.#fill()
    return { done: source.done }
  }

  /** Runs a task of {@link failures} once more, as a new task. @throws PoolStateError when it is not known or the pool takes no more tasks */
  retryTask(id: string): AsyncResult {
    this.#mustAccept()
    const failed = this.#book.findFailure(id)?.task
    if (failed === undefined) throw new PoolStateError(`${id} is not among the failed tasks of ${this.name}`, this.id, this.#state)
    return this.#handIn(failed.index, failed.label, failed.item, {}, () => failed.call)
  }

  /** No more tasks; the pool ends by itself once everything is done. */
  close(): void {
    if (this.#state !== 'init' && this.#state !== 'run') return
    this.#setState('close')
    this.#settleDown()
  }

  /** Resolves when the pool has ended. @throws PoolStateError while it is neither closed nor terminated (it would never end) */
  join(): Promise<void> {
    if (this.#state === 'init' || this.#state === 'run') {
      return Promise.reject(new PoolStateError(`${this.name} is still running: close() or terminate() it before join()`, this.id, this.#state))
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
   * Ends the pool through the shutdown core. Waiting tasks are cancelled, those in flight are lost with their workers (one that
   * finishes up within the first pass is done). With survivors the pool stays in `terminate` until they are gone. Safe to call
   * again, also at the same time: the second call still sees survivors. What workers that are gone already left running is ended
   * too, unless the pool has ended by itself before: then a task may have meant it to stay.
   */
  async shutdown(options: ShutdownOptions): Promise<ShutdownReport> {
    const report = await endWorkers(
      {
        subject: { id: this.id, name: this.name },
        workers: [...this.#staff.workers],
        leftBehind: [...this.#leftBehind],
        formerWorkers: this.#formerWorkers,
        options,
        gracePeriodMs: options.gracePeriodMs ?? this.#settings.gracePeriodMs,
        useSigkill: options.useSigkill ?? this.#settings.useSigkill,
        stopRefill: () => { this.#stop(options.reason) },
      },
      this.#system,
    )
    // What survived must not keep our own process alive for ever.
    this.#keepAlive.unref()
    for (const worker of this.#staff.workers) {
      worker.unref()
      this.#changed(worker)
    }
    for (const worker of this.#leftBehind) worker.closePipes()
    this.#leftBehind.clear()
    if (report.issues.length === 0) forgetPool(this)
    this.#settleDown()
    this.#tell('shutdown', () => [report, options])
    return report
  }

  /** Ends one worker through the shutdown core; the pool replaces it, its task is lost (or runs again, with `retries`). */
  async shutdownWorker(pid: number, options: ShutdownOptions): Promise<ShutdownReport> {
    const worker = this.#workerOf(pid)
    const report = await endWorkers(
      {
        subject: worker ? { id: `${this.id}/${worker.name}`, name: worker.name } : { id: `${this.id}/${pid}`, name: `pid ${pid}` },
        workers: worker ? [worker] : [],
        leftBehind: [],
        options,
        gracePeriodMs: options.gracePeriodMs ?? this.#settings.gracePeriodMs,
        useSigkill: options.useSigkill ?? this.#settings.useSigkill,
      },
      this.#system,
    )
    if (worker && !worker.exited) this.#changed(worker)
    this.#tell('shutdown', () => [report, options])
    return report
  }

  /** SIGKILL for one worker. Returns what could not be ended. */
  async killWorker(pid: number): Promise<string[]> {
    const report = await this.shutdownWorker(pid, { kill: true, askedBy: 'api', reason: 'killWorker()' })
    return [...report.issues]
  }

  /**
   * A waiting task leaves the queue; of a running one the worker is ended, up to SIGKILL (a cancel that leaves the task running
   * would be none). Never runs again. Resolves with the issues once that is done; nothing happens when it has ended already.
   */
  cancelTask(id: string, reason = 'cancelTask()'): Promise<string[]> {
    return this.#endTask(id, { kill: false, useSigkill: true, askedBy: 'api', reason })
  }

  /** As {@link cancelTask}, straight to SIGKILL. */
  killTask(id: string, reason = 'killTask()'): Promise<string[]> {
    return this.#endTask(id, { kill: true, askedBy: 'api', reason })
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

  // ---- tasks ----

  #handIn<T>(index: number, label: string, item: unknown, callbacks: ResultCallbacks<T>, makeCall: () => ModuleCall | null): AsyncResult<T> {
    const number = ++this.#lastTask
    const id = `t${number}`
    const cancel = async (): Promise<void> => {
      await this.cancelTask(id, 'cancel()')
    }
    const { result, settle } = AsyncResult.create<T>([id], cancel, callbacks)
    const make = (call: ModuleCall | null) => new Task(number, index, call, item, settle, label)
    let call: ModuleCall | null
    try {
      call = makeCall()
    } catch (error) {
      this.#end(make(null), null, 'failed', new SerializationError(id, label, 'argument', messageOf(error)))
      return result
    }
    this.#book.add(make(call))
    this.#fill()
    return result
  }

  #itemCall(item: unknown, keepResult: boolean): ModuleCall | null {
    const settings = this.#settings
    return settings.kind === 'command' ? null : { fn: settings.exportName, module: null, args: cloned([item]), keepResult }
  }

  #itemLabel(item: unknown, index: number): string {
    const settings = this.#settings
    if (settings.kind === 'module') return callLabel(settings.module, settings.exportName, [item])
    try {
      return commandLabel(settings.template.render(item, index).display)
    } catch {
      return `${settings.name} [${index}]`
    }
  }

  /** Running tasks and who runs them. */
  *#running(): Generator<{ task: Task; worker: Worker }> {
    for (const worker of this.#staff.workers) {
      if (worker.task?.state === 'running') yield { task: worker.task, worker }
    }
  }

  #fill(): void {
    if (this.#state === 'run' || this.#state === 'close') this.#staff.fill()
  }

  #taskStarted(task: Task, worker: Worker): void {
    this.#book.started(task)
    const { timeoutMs } = this.#settings
    if (timeoutMs !== undefined) {
      task.timer = setTimeout(() => { this.#timedOut(task, worker) }, timeoutMs)
      task.timer.unref()
    }
    this.#watch.taskStarted()
    this.#tell('taskStart', () => [describeTask(task), worker.describe()])
  }

  #taskEnded(worker: Worker, task: Task, outcome: TaskOutcome): void {
    if (outcome.kind === 'returned') this.#done(task, worker, outcome.value)
    else this.#end(task, worker, 'failed', outcome.error)
  }

  #timedOut(task: Task, worker: Worker): void {
    if (task.state !== 'running' || worker.task !== task || task.intent !== null) return
    task.intent = { kind: 'timeout' }
    this.#inBackground(this.shutdownWorker(worker.pid, { kill: true, askedBy: 'timeout', reason: `${task.label} ran longer than ${this.#settings.timeoutMs ?? 0} ms` }), () => {
      task.intent = null
      task.timer = setTimeout(() => { this.#timedOut(task, worker) }, retryMs)
      task.timer.unref()
    })
  }

  /** The worker is gone; what about its task? */
  #workerGone(worker: Worker): void {
    const { task } = worker
    if (worker.pipesHeld) this.#leftBehind.add(worker)
    this.#formerWorkers.add(worker)
    if (task?.state !== 'running') {
      this.#showExit(worker)
      return
    }
    clearTimeout(task.timer)
    if (!(worker instanceof CommandWorker)) {
      this.#meet(task, worker, fateOfLostTask(task, worker, this.#fateRules()))
      this.#showExit(worker)
      return
    }
    const finish = (): void => {
      const result = worker.result()
      this.#meet(task, worker, fateOfCommand(task, worker, this.#fateRules(), result))
      this.#showExit(worker)
    }
    if (worker.capture?.printed !== true) {
      finish()
      return
    }
    // Whoever gets the result may read its files: they must be complete. The place is free for the next command meanwhile.
    this.#finishing++
    void worker.capture.end().then(() => {
      this.#finishing--
      finish()
      this.#settleDown()
    })
  }

  #showExit(worker: Worker): void {
    this.#exitedWorkerCount++
    const info = worker.describe()
    this.#exitedWorkers.push(info)
    if (this.#exitedWorkers.length > keptExitedWorkers) this.#exitedWorkers.shift()
    this.#tell('workerExit', () => [info])
    this.#settleDown()
  }

  #meet(task: Task, worker: Worker, fate: Fate): void {
    switch (fate.kind) {
      case 'done':
        worker.tasksDone++
        this.#done(task, worker, fate.value)
        return
      case 'ended':
        task.verdict = fate.verdict
        if (fate.state === 'lost') this.#tell('taskLost', () => [{ ...describeTask(task), state: 'lost' }, worker.describe()])
        this.#end(task, worker, fate.state, fate.error)
        return
      case 'again':
        task.verdict = fate.verdict
        this.#tell('taskLost', () => [{ ...describeTask(task), state: 'lost' }, worker.describe()])
        this.#again(task, worker, fate.error)
        return
    }
  }

  #again(task: Task, worker: Worker, error: unknown): void {
    const detail = this.#detail(task, worker, error)
    this.#watch.taskEnded(task)
    this.#book.requeue(task)
    this.#tell('taskRetry', () => [describeTask(task), detail])
    this.#fill()
  }

  #done(task: Task, worker: Worker, value: unknown): void {
    clearTimeout(task.timer)
    this.#watch.taskEnded(task)
    task.verdict = null
    const detail = this.#detail(task, worker, null)
    this.#book.end(task, 'done', detail)
    task.settle?.resolve(value)
    this.#tell('taskEnd', () => [describeTask(task), detail])
    this.#settleDown()
  }

  #end(task: Task, worker: Worker | null, state: 'failed' | 'lost' | 'timedOut' | 'cancelled', error: unknown): void {
    clearTimeout(task.timer)
    this.#watch.taskEnded(task)
    const detail = this.#detail(task, worker, error)
    this.#book.end(task, state, detail)
    task.settle?.reject(error)
    this.#tell('taskEnd', () => [describeTask(task), detail])
    if (this.#settings.onFailure === 'stop' && state !== 'cancelled' && (this.#state === 'run' || this.#state === 'close')) {
      const how = state === 'timedOut' ? 'timed out' : state === 'lost' ? 'was lost' : 'failed'
      this.#inBackground(this.shutdown({ kill: false, askedBy: 'policy', reason: `${task.label} ${how} (onFailure: stop)` }))
    }
    this.#settleDown()
  }

  #detail(task: Task, worker: Worker | null, error: unknown): TaskEndDetail {
    const failed = worker?.capture?.failed
    const outputError = failed === undefined ? null : messageOf(failed)
    return {
      message: error === null ? null : outputError === null ? messageOf(error) : `${messageOf(error)} (its output could not be kept: ${outputError})`,
      error,
      worker: worker?.name ?? null,
      pid: worker?.pid ?? null,
      exitCode: worker?.exitCode ?? null,
      signal: worker?.signal ?? null,
      elapsedMs: worker ? Math.round(performance.now() - task.startedMonotonic) : 0,
      stdoutPath: worker?.capture?.stdout.path ?? null,
      stderrPath: worker?.capture?.stderr.path ?? null,
      outputError,
    }
  }

  async #endTask(id: string, options: ShutdownOptions): Promise<string[]> {
    const task = this.#book.find(id)
    if (task === undefined) return []
    if (task.state === 'queued') {
      this.#book.takeOut(task)
      this.#end(task, null, 'cancelled', new TaskCancelledError(task.id, task.label, options.reason))
      return []
    }
    for (const { task: running, worker } of this.#running()) {
      if (running !== task) continue
      task.intent = { kind: 'cancel', reason: options.reason }
      const report = await this.shutdownWorker(worker.pid, options)
      return [...report.issues]
    }
    return []
  }

  #judged(task: Task, worker: Worker, verdict: Verdict | null, stuck: boolean): void {
    const was = task.stuck
    const changed = was !== stuck || task.verdict?.code !== verdict?.code
    task.verdict = verdict
    this.#book.setStuck(task, stuck)
    if (stuck && !was) this.#tell('taskStuck', () => [describeTask(task), worker.describe()])
    if (!stuck && was) this.#tell('taskUnstuck', () => [describeTask(task), worker.describe()])
    if (changed) this.#changed(worker)
    if (stuck && !was) this.#actOnStuck(task, worker)
  }

  #actOnStuck(task: Task, worker: Worker): void {
    const { onStuck, retries } = this.#settings
    if (onStuck === 'flag' || worker.endRequest !== null || task.intent !== null) return
    // Choosing 'retry' is consent to one more run, also without `retries`; a task that gets stuck every time must not run for ever.
    task.intent = { kind: 'stuck', again: onStuck === 'retry' && task.attempt <= Math.max(1, retries) }
    const reason = `${task.label} is stuck (${task.verdict?.code ?? 'no-progress'}; onStuck: ${onStuck})`
    this.#inBackground(this.shutdownWorker(worker.pid, { kill: onStuck !== 'terminate', askedBy: 'policy', reason }), () => {
      task.intent = null
    })
  }

  // ---- workers ----

  #staffHooks(): StaffHooks {
    return {
      nextTask: () => this.#nextTask(),
      putBack: (task) => { this.#book.putBack(task) },
      workerStarted: (worker) => { this.#tell('workerStart', () => [worker.describe()]) },
      workerChanged: (worker) => { this.#changed(worker) },
      workerGone: (worker) => { this.#workerGone(worker) },
      taskStarted: (task, worker) => { this.#taskStarted(task, worker) },
      taskEnded: (worker, task, outcome) => { this.#taskEnded(worker, task, outcome) },
      taskNotStarted: (task, error) => { this.#end(task, null, 'failed', error) },
      output: (worker, taskId, stream, chunk) => { this.#tell('output', () => [{ worker: worker.name, taskId, stream, chunk }]) },
      // It is of no use any more: without SIGKILL one that catches SIGTERM would keep the pool from ever ending.
      endWorker: (worker, reason) => { this.#inBackground(this.shutdownWorker(worker.pid, { kill: false, useSigkill: true, askedBy: 'policy', reason })) },
      failed: (facts, cause) => { this.#fail(facts, cause) },
    }
  }

  /** Nobody waits for this: what it rejects with (no file descriptors left, say) is told as a warning and must not end the user's process. */
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

  #nextTask(): Task | undefined {
    if (this.#state !== 'run' && this.#state !== 'close') return undefined
    const task = this.#book.next()
    // Only asking for one more tells that an iterable has no more items.
    if (task === undefined && this.#state === 'close' && this.#book.empty) queueMicrotask(() => { this.#settleDown() })
    return task
  }

  #workerOf(pid: number): Worker | undefined {
    if (pid <= 0) return undefined
    for (const worker of this.#staff.workers) if (worker.pid === pid && !worker.exited) return worker
    return undefined
  }

  #changed(worker: Worker): void {
    this.#tell('workerChange', () => [worker.describe()])
  }

  #fail(facts: Parameters<StaffHooks['failed']>[0], cause: unknown): void {
    const verdict = crashLoop({ ...facts, pool: this.name })
    this.#failure = verdict.summary
    const error = new PoolFailedError(verdict.summary, this.id, facts.exits, facts.stderrTail, { cause })
    this.#tell('failed', () => [verdict.summary])
    for (const task of this.#book.takeOutAll()) this.#end(task, null, 'cancelled', error)
    this.#inBackground(this.shutdown({ kill: false, askedBy: 'policy', reason: verdict.summary }))
  }

  // ---- the pool ----

  #fateRules(): FateRules {
    const { retries, timeoutMs } = this.#settings
    return { retries, timeoutMs, mayRunAgain: this.#state === 'run' || this.#state === 'close' }
  }

  #mustAccept(): void {
    if (this.#state === 'init' || this.#state === 'run') return
    throw new PoolStateError(`${this.name} takes no more tasks: it is in state ${this.#state}${this.#failure === null ? '' : ` (${this.#failure})`}`, this.id, this.#state)
  }

  /** No worker and no task is started from here on. */
  #stop(reason: string): void {
    this.#staff.stop()
    if (this.#state === 'terminate' || this.#state === 'ended') return
    this.#setState('terminate')
    for (const task of this.#book.takeOutAll()) {
      this.#end(task, null, 'cancelled', new TaskCancelledError(task.id, task.label, `the pool was ended: ${reason}`))
    }
  }

  /** Ends the pool if nothing is left to do. */
  #settleDown(): void {
    if (this.#state === 'close' && this.#book.empty) this.#staff.dismiss()
    if (this.#staff.workers.size > 0 || this.#finishing > 0) return
    if (this.#state !== 'terminate' && !(this.#state === 'close' && this.#book.empty)) return
    this.#staff.stop()
    this.#watch.stop()
    clearInterval(this.#keepAlive)
    this.#endedAt = Date.now()
    if (this.#state === 'close') this.#formerWorkers.forget()
    if (this.#leftBehind.size === 0) forgetPool(this)
    this.#setState('ended')
    for (const resolve of this.#whenEnded.splice(0)) resolve()
  }

  #setState(state: PoolState): void {
    this.#state = state
    this.#tell('stateChange', () => [state])
  }

  /** Costs nothing when nobody listens; a listener that throws must not leave the pool half way through a step. */
  #tell<E extends keyof PoolEvents>(event: E, makeArguments: () => PoolEvents[E]): void {
    if (this.listenerCount(event) === 0) return
    surfaceErrors(() => (this as EventEmitter).emit(event, ...makeArguments()))
  }
}

/** Runs somebody else's code: what it throws is theirs to hear of, as an uncaught exception, but must not stop the pool half way. */
function surfaceErrors(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Arguments as they travel. Plain values need no check; everything else is cloned now, so that what cannot be says so at once. */
function cloned(args: readonly unknown[]): readonly unknown[] | Buffer {
  return args.every((arg) => arg === null || (typeof arg !== 'object' && typeof arg !== 'function' && typeof arg !== 'symbol')) ? args : serialize(args)
}
