import { ClaimFile } from '../../runtimes'
import { durationInWords, exitInWords } from '../../diagnosis'
import { CrashLoopBreaker } from './crashLoop'
import { StartError } from '../terms/errors'
import { PersistentWorker } from './persistentWorker'
import type { PersistentRuntime } from './persistentRuntime'
import type { PersistentWorkerHooks } from './persistentWorkerHooks'
import { SendAheadMonitor } from './sendAhead'
import type { PersistentSettings } from '../terms/options'
import { WorkerNames } from './workerSet'
import type { WorkerSet, WorkerSetContext, WorkerSetHooks } from './workerSet'
import type { Task } from '../tasks/task'
import type { TaskFunction } from '../tasks/taskFunction'
import type { TaskOutcome, Worker } from './worker'

/**
 * A worker that was asked to leave has nothing left to do; one that stays has a handle open or an exit handler that
 * hangs.
 */
const leavePatienceMs = 5000
/** Loading may take long (a model, a cold disk), but not for ever; `stuckAfterMs` when that is larger. */
const startTimeoutMs = 60_000

/** The persistent workers of a module pool or a Python pool: as many as `processes`, replaced when they end. */
export class PersistentWorkers implements WorkerSet, PersistentWorkerHooks<PersistentWorker> {
  readonly workers = new Set<PersistentWorker>()
  readonly #settings: PersistentSettings
  readonly #runtime: PersistentRuntime
  readonly #hooks: WorkerSetHooks
  readonly #context: WorkerSetContext
  readonly #names = new WorkerNames()
  readonly #breaker: CrashLoopBreaker
  readonly #ahead = new SendAheadMonitor(this.workers, (tasks) => {
    this.handedBack(tasks)
    this.fill()
  })
  readonly #idle = new Set<PersistentWorker>()
  /** Workers that are leaving on our request and will be gone in a moment: they hold no place. */
  readonly #leaving = new Set<PersistentWorker>()
  /** Workers that are ended because their module did not finish loading. */
  readonly #overdue = new Set<PersistentWorker>()
  #processes: number
  #starting = 0
  #stopped = false
  #dismissed = false
  #backOff: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(
    settings: PersistentSettings,
    runtime: PersistentRuntime,
    context: WorkerSetContext,
    hooks: WorkerSetHooks,
  ) {
    this.#settings = settings
    this.#runtime = runtime
    this.#context = context
    this.#hooks = hooks
    this.#processes = settings.processes
    this.#breaker = new CrashLoopBreaker(settings.processes)
  }

  fill(): void {
    for (const worker of this.#idle) {
      const task = this.#nextCallable()
      if (task === undefined) break
      this.#idle.delete(worker)
      worker.send(task)
      worker.flush()
    }
    if (this.#idle.size === 0 && this.#hooks.waiting() > 0) for (const worker of this.workers) this.#feed(worker)
    this.#start()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#backOff)
    clearTimeout(this.#idleTimer)
    this.#ahead.stop()
  }

  dismiss(): void {
    this.#dismissed = true
    for (const worker of this.workers) {
      if (worker.status === 'idle' || worker.status === 'starting')
        this.#retire(worker, 'the pool was closed and everything is done')
    }
  }

  resize(processes: number): void {
    this.#processes = processes
    this.#breaker.resize(processes)
    for (const worker of this.workers) {
      if (this.#surplus <= 0) break
      if (worker.status === 'idle' || worker.status === 'starting')
        this.#retire(worker, `the pool was made smaller (${processes} workers)`)
    }
    this.fill()
  }

  hold(): void {
    for (const worker of this.workers) this.handedBack(worker.recall())
  }

  takeBack(task: Task): void {
    for (const worker of this.workers) {
      if (worker.has(task)) this.handedBack(worker.recall())
    }
  }

  softTimeout(worker: Worker, task: Task): boolean {
    if (!(worker instanceof PersistentWorker)) return false
    worker.softTimeout(task)
    return true
  }

  ready(worker: PersistentWorker): void {
    this.#starting--
    this.#breaker.acked()
    this.#rest(worker)
    if (this.#dismissed) this.dismiss()
    else this.fill()
  }

  changed(worker: Worker): void {
    if (worker instanceof PersistentWorker && worker.status !== 'idle') this.#idle.delete(worker)
    this.#hooks.workerChanged(worker)
  }

  output(...args: Parameters<WorkerSetHooks['output']>): void {
    const [worker] = args
    // From here on nobody could tell whose output it is, so this function's tasks go one at a time.
    if (worker instanceof PersistentWorker && worker.task?.fn) {
      worker.task.fn.printed()
      if (worker.load > 1) {
        this.handedBack(worker.recall())
        this.fill()
      }
    }
    this.#hooks.output(...args)
  }

  taskBegan(worker: PersistentWorker, task: Task): void {
    this.#hooks.taskStarted(task, worker)
  }

  taskEnded(worker: PersistentWorker, task: Task, outcome: TaskOutcome): void {
    this.#breaker.worked()
    this.#hooks.taskEnded(worker, task, outcome)
  }

  hungry(worker: PersistentWorker): void {
    this.#rest(worker)
    if (this.#dismissed) {
      this.dismiss()
      return
    }
    if (worker.status === 'busy' && this.#idle.size === 0) this.#feed(worker)
    else this.fill()
  }

  handedBack(tasks: readonly Task[]): void {
    for (let at = tasks.length - 1; at >= 0; at--) {
      const task = tasks[at]
      if (task) this.#hooks.putBack(task)
    }
  }

  gone(worker: PersistentWorker): void {
    this.workers.delete(worker)
    this.#idle.delete(worker)
    if (!worker.acked) this.#starting--
    const overdue = this.#overdue.delete(worker)
    const asked = this.#leaving.delete(worker) || (worker.endRequest !== null && !overdue)
    if (!asked) {
      const fruitful = worker.tasksDone > 0 || worker.task !== null
      this.#breaker.exited({ acked: worker.acked, fruitful, exit: exitInWords(worker.exitCode, worker.signal) })
    }
    this.#hooks.workerGone(worker)
    // A module that hangs once hangs again: four more tries would take minutes, unless it has loaded in another worker.
    const hopeless = overdue && ![...this.workers].some(({ acked }) => acked)
    if ((this.#breaker.tripped || hopeless) && !this.#stopped) this.#giveUp(worker)
    else this.fill()
  }

  broken(worker: PersistentWorker, reason: string): void {
    this.#hooks.endWorker(worker, reason)
  }

  startFailed(worker: PersistentWorker, error: Error): void {
    this.workers.delete(worker)
    this.#starting--
    worker.status = 'exited'
    worker.loadError = error
    this.#breaker.exited({ acked: false, fruitful: false, exit: error.message })
    if (this.#breaker.tripped && !this.#stopped) this.#giveUp(worker)
    else this.fill()
  }

  /** Nothing is in flight with it: it waits for a task, or leaves. */
  #rest(worker: PersistentWorker): void {
    if (worker.status !== 'idle') return
    const { maxTasksPerChild } = this.#settings
    if (worker.overMemoryMib !== null)
      this.#retire(worker, `it has ${worker.overMemoryMib} MiB of memory (maxMemoryPerChildBytes)`)
    else if (worker.sent >= maxTasksPerChild)
      this.#retire(worker, `it has done its ${worker.tasksDone} tasks (maxTasksPerChild)`)
    else if (this.#surplus > 0) this.#retire(worker, `the pool was made smaller (${this.#processes} workers)`)
    else {
      worker.idleSince = performance.now()
      this.#idle.add(worker)
      this.#shrinkLater()
    }
  }

  /** Sends short tasks behind the short tasks that it has, once it has done half of them. */
  #feed(worker: PersistentWorker): void {
    let depth = this.#roomBehind(worker, worker.task?.fn)
    if (worker.load > depth / 2) return
    let sent = false
    while (worker.load < depth) {
      const task = this.#nextCallable()
      if (task === undefined) break
      depth = this.#roomBehind(worker, task.fn)
      if (worker.load >= depth) {
        this.#hooks.putBack(task)
        break
      }
      worker.send(task)
      sent = true
    }
    if (!sent) return
    worker.flush()
    this.#ahead.start()
  }

  /** How many tasks it may have at most when one of `fn` is added. */
  #roomBehind(worker: PersistentWorker, fn: TaskFunction | null | undefined): number {
    if (fn === null || fn === undefined || !worker.takesAhead || this.#surplus > 0) return 0
    // Not everything to the first one: others are fed in the same turn.
    const share = worker.load + Math.ceil((this.#hooks.waiting() + 1) / Math.max(1, this.workers.size))
    return Math.min(
      fn.depth,
      worker.task?.fn?.depth ?? 1,
      share,
      worker.load + this.#settings.maxTasksPerChild - worker.sent,
    )
  }

  #nextCallable(): Task | undefined {
    for (;;) {
      const task = this.#hooks.nextTask()
      if (task?.args !== null) return task
      this.#hooks.taskUncallable(task)
    }
  }

  #start(): void {
    if (this.#backOff !== undefined) return
    while (!this.#stopped && this.#missing() > 0) {
      if (this.#breaker.probing && this.#starting > 0) return
      const { delayMs } = this.#breaker
      if (delayMs > 0) {
        this.#backOff = setTimeout(() => {
          this.#backOff = undefined
          if (!this.#stopped && this.#missing() > 0) this.#startOne()
          this.#start()
        }, delayMs)
        return
      }
      this.#startOne()
    }
  }

  /** Workers that hold a place. */
  get #places(): number {
    return this.workers.size - this.#leaving.size
  }

  get #surplus(): number {
    return this.#places - this.#processes
  }

  /** Once the pool is closed nobody is started for whom there is no task; with `idleTimeoutMs` that is so always. */
  #missing(): number {
    if (this.#dismissed) return 0
    const missing = this.#processes - this.#places
    if (this.#settings.idleTimeoutMs === undefined) return missing
    const wanted = Math.max(
      this.#settings.minProcesses - this.#places,
      Math.min(missing, this.#hooks.waiting() - this.#starting),
    )
    return Math.max(0, Math.min(missing, wanted))
  }

  #shrinkLater(): void {
    const { idleTimeoutMs, minProcesses } = this.#settings
    if (idleTimeoutMs === undefined || this.#idleTimer !== undefined || this.#stopped || this.#places <= minProcesses)
      return
    const first = Math.min(...[...this.#idle].map(({ idleSince }) => idleSince))
    this.#idleTimer = setTimeout(
      () => {
        this.#idleTimer = undefined
        for (const worker of this.#idle) {
          if (this.#places <= minProcesses) break
          if (performance.now() - worker.idleSince >= idleTimeoutMs)
            this.#retire(worker, `it has had nothing to do for ${durationInWords(idleTimeoutMs)} (idleTimeoutMs)`)
        }
        if (this.#idle.size > 0) this.#shrinkLater()
      },
      Math.max(1, first + idleTimeoutMs - performance.now()),
    )
    this.#idleTimer.unref()
  }

  #startOne(): void {
    const name = this.#names.next()
    const marker = `${this.#context.poolId}/${name}`
    const worker = new PersistentWorker(
      name,
      marker,
      this.#runtime,
      ClaimFile.make(),
      this,
      this.#context.folder,
      this.#context.table,
    )
    this.workers.add(worker)
    this.#starting++
    worker.start()
    if (worker.pid === -1) return
    this.#hooks.workerStarted(worker)
    this.#expectReady(worker)
  }

  /**
   * A module that spins or waits for ever while it loads has no task that could be judged: its worker would be starting
   * for ever.
   */
  #expectReady(worker: PersistentWorker): void {
    const limitMs = Math.max(startTimeoutMs, this.#settings.stuckAfterMs)
    const timer = setTimeout(() => {
      if (worker.acked || worker.exited || worker.endRequest !== null || this.#leaving.has(worker)) return
      const reason = `the module ${this.#settings.module} did not finish loading within ${durationInWords(limitMs)}`
      worker.loadError = new StartError(reason, this.#settings.module, undefined)
      this.#overdue.add(worker)
      this.#hooks.endWorker(worker, reason)
    }, limitMs)
    timer.unref()
    void worker.whenGone().then(() => {
      clearTimeout(timer)
    })
  }

  #retire(worker: PersistentWorker, reason: string): void {
    this.#leaving.add(worker)
    worker.retire()
    const timer = setTimeout(() => {
      if (!worker.exited)
        this.#hooks.endWorker(worker, `it did not leave within ${leavePatienceMs} ms after it was asked: ${reason}`)
    }, leavePatienceMs)
    void worker.whenGone().then(() => {
      clearTimeout(timer)
    })
  }

  #giveUp(worker: PersistentWorker): void {
    this.stop()
    const { loadError } = worker
    this.#hooks.failed(
      {
        startsInARow: this.#breaker.startsInARow,
        exits: this.#breaker.exits,
        loadError:
          loadError === undefined
            ? null
            : loadError instanceof Error
              ? `${loadError.name}: ${loadError.message}`
              : JSON.stringify(loadError),
        stderrTail: worker.lastWords.text().trim(),
      },
      loadError,
    )
  }
}
