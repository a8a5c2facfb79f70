import { durationInWords, exitInWords } from '../diagnosis'
import { findWorkerPath } from '../runtimes'
import { CrashLoopBreaker } from './crash-loop'
import { StartError } from './errors'
import { ModuleWorker } from './module-worker'
import type { ModuleWorkerHooks } from './module-worker'
import type { ModuleSettings } from './options'
import { WorkerNames } from './staff'
import type { Staff, StaffContext, StaffHooks } from './staff'
import type { Task } from './task'
import type { TaskOutcome, Worker } from './worker'

/** A worker that was asked to leave has nothing left to do; one that stays has a handle open or an exit handler that hangs. */
const leavePatienceMs = 5000
/** Loading may take long (a model, a cold disk), but not for ever; `stuckAfterMs` when that is larger. */
const startTimeoutMs = 60_000

/** The persistent workers of a module pool: as many as `processes`, replaced when they end. */
export class ModuleStaff implements Staff, ModuleWorkerHooks {
  readonly workers = new Set<ModuleWorker>()
  readonly #settings: ModuleSettings
  readonly #hooks: StaffHooks
  readonly #context: StaffContext
  readonly #names = new WorkerNames()
  readonly #breaker: CrashLoopBreaker
  readonly #workerPath: string
  readonly #idle = new Set<ModuleWorker>()
  /** Workers that hold a place: all but those that are leaving on our request and will be gone in a moment. */
  readonly #leaving = new Set<ModuleWorker>()
  /** Workers that are ended because their module did not finish loading. */
  readonly #overdue = new Set<ModuleWorker>()
  #starting = 0
  #stopped = false
  #dismissed = false
  #backOff: NodeJS.Timeout | undefined

  constructor(settings: ModuleSettings, context: StaffContext, hooks: StaffHooks) {
    this.#settings = settings
    this.#context = context
    this.#hooks = hooks
    this.#breaker = new CrashLoopBreaker(settings.processes)
    this.#workerPath = settings.workerPath ?? findWorkerPath(__dirname)
  }

  fill(): void {
    for (const worker of this.#idle) {
      const task = this.#nextCallable()
      if (task === undefined) break
      this.#idle.delete(worker)
      this.#give(worker, task)
    }
    this.#start()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#backOff)
  }

  dismiss(): void {
    this.#dismissed = true
    for (const worker of this.workers) {
      if (worker.status === 'idle' || worker.status === 'starting') this.#retire(worker, 'the pool was closed and everything is done')
    }
  }

  ready(worker: ModuleWorker): void {
    this.#starting--
    this.#breaker.acked()
    if (worker.status === 'idle') this.#idle.add(worker)
    if (this.#dismissed) this.dismiss()
    else this.fill()
  }

  changed(worker: Worker): void {
    if (worker instanceof ModuleWorker && worker.status !== 'idle') this.#idle.delete(worker)
    this.#hooks.workerChanged(worker)
  }

  output(...args: Parameters<StaffHooks['output']>): void {
    this.#hooks.output(...args)
  }

  taskEnded(worker: ModuleWorker, task: Task, outcome: TaskOutcome): void {
    this.#breaker.worked()
    if (worker.status === 'idle') {
      if (worker.tasksDone >= this.#settings.maxTasksPerChild) this.#retire(worker, `it has done its ${worker.tasksDone} tasks (maxTasksPerChild)`)
      else this.#idle.add(worker)
    }
    this.#hooks.taskEnded(worker, task, outcome)
    if (this.#dismissed) this.dismiss()
    else this.fill()
  }

  gone(worker: ModuleWorker): void {
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

  broken(worker: ModuleWorker, reason: string): void {
    this.#hooks.endWorker(worker, reason)
  }

  startFailed(worker: ModuleWorker, error: Error): void {
    this.workers.delete(worker)
    this.#starting--
    worker.status = 'exited'
    worker.loadError = error
    this.#breaker.exited({ acked: false, fruitful: false, exit: error.message })
    if (this.#breaker.tripped && !this.#stopped) this.#giveUp(worker)
    else this.fill()
  }

  #nextCallable(): Task | undefined {
    for (;;) {
      const task = this.#hooks.nextTask()
      if (task?.call !== null) return task
      this.#hooks.taskUncallable(task)
    }
  }

  #give(worker: ModuleWorker, task: Task): void {
    worker.run(task)
    this.#hooks.taskStarted(task, worker)
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

  /** Once the pool is closed nobody is started for whom there is no task. */
  #missing(): number {
    const places = this.workers.size - this.#leaving.size
    const missing = this.#settings.processes - places
    return this.#dismissed ? 0 : missing
  }

  #startOne(): void {
    const { module, nodePath, cwd, env } = this.#settings
    const name = this.#names.next()
    const marker = `${this.#context.poolId}/${name}`
    const options = { module, nodePath, cwd, workerPath: this.#workerPath, env: { ...env, UNHANG_WORKER: marker } }
    const worker = new ModuleWorker(name, marker, options, this, this.#context.folder, this.#context.table)
    this.workers.add(worker)
    this.#starting++
    worker.start()
    if (worker.pid === -1) return
    this.#hooks.workerStarted(worker)
    this.#expectReady(worker)
  }

  /** A module that spins or waits for ever while it loads has no task that could be judged: its worker would be starting for ever. */
  #expectReady(worker: ModuleWorker): void {
    const limitMs = Math.max(startTimeoutMs, this.#settings.stuckAfterMs)
    const timer = setTimeout(() => {
      if (worker.acked || worker.exited || worker.endRequest !== null || this.#leaving.has(worker)) return
      const reason = `the module ${this.#settings.module} did not finish loading within ${durationInWords(limitMs)}`
      worker.loadError = new StartError(reason, this.#settings.module, undefined)
      this.#overdue.add(worker)
      this.#hooks.endWorker(worker, reason)
    }, limitMs)
    timer.unref()
    void worker.whenGone().then(() => { clearTimeout(timer) })
  }

  #retire(worker: ModuleWorker, reason: string): void {
    this.#leaving.add(worker)
    worker.retire()
    const timer = setTimeout(() => {
      if (!worker.exited) this.#hooks.endWorker(worker, `it did not leave within ${leavePatienceMs} ms after it was asked: ${reason}`)
    }, leavePatienceMs)
    void worker.whenGone().then(() => { clearTimeout(timer) })
  }

  #giveUp(worker: ModuleWorker): void {
    this.stop()
    const { loadError } = worker
    this.#hooks.failed(
      {
        startsInARow: this.#breaker.startsInARow,
        exits: this.#breaker.exits,
        loadError: loadError === undefined ? null : loadError instanceof Error ? `${loadError.name}: ${loadError.message}` : JSON.stringify(loadError),
        stderrTail: worker.lastWords.text().trim(),
      },
      loadError,
    )
  }
}
