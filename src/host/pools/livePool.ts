import { rm } from 'node:fs/promises'
import type { FailureRecord, Pool, Spread, TaskInfo, WorkerInfo } from '../../core'
import type { ProcessIdentity, UsageSample } from '../../processes'
import {
  errorCodes,
  type PoolHeader,
  type TaskSnapshot,
  type WorkerSnapshot,
  type TaskFailures,
  type TaskFailure,
} from '../../protocol'
import type { ShutdownPlan, ShutdownReport } from '../../shutdown'
import { OutputFeed } from '../output/outputFeed'
import { RequestError } from '../terms/requestError'
import { verdictSnapshot } from '../terms/verdictSnapshot'
import type { PoolChanges } from '../state/stateLog'
import type { HostedPool, ShutdownOrder } from './hostedPool'

/** Where a pool reports its changes, and the start and the end of its workers. */
export interface PoolObserver extends PoolChanges {
  /** A process started; `identity` is proven. */
  started(worker: WorkerInfo, identity: ProcessIdentity): void
  exited(identity: ProcessIdentity): void
  shutdown(report: ShutdownReport, order: { askedBy: string; reason: string }): void
  ended(): void
}

/** Exited workers that stay listed: as many as the pool itself keeps. */
const listedExits = 100

/** A pool that this host runs: keeps the latest state of each worker from the engine's events, and reports changes. */
export class LivePool implements HostedPool {
  readonly #observer: PoolObserver

  readonly orphaned = false
  readonly owned = true
  readonly needsHost = true
  readonly output = new OutputFeed()
  /** Live and exited, in the order they started. */
  readonly #workers = new Map<string, WorkerInfo>()
  readonly #exits: string[] = []
  readonly #identities = new Map<string, ProcessIdentity>()
  readonly #usage = new Map<number, UsageSample>()
  #lastIssues: readonly string[] = []
  /** Why this host ended it as failed; the engine's own reason takes precedence. */
  #failure: string | null = null

  constructor(
    readonly pool: Pool,
    readonly label: string | null,
    observer: PoolObserver,
  ) {
    this.#observer = observer

    pool.on('stateChange', (state) => {
      observer.headerChanged()
      if (state === 'ended') observer.ended()
    })
    pool.on('failed', () => {
      observer.headerChanged()
    })
    pool.on('workerStart', (worker) => {
      this.#workerStarted(worker)
    })
    pool.on('workerChange', (worker) => {
      this.#workerChanged(worker)
    })
    pool.on('workerExit', (worker) => {
      this.#workerExited(worker)
    })
    pool.on('taskStart', (task, worker) => {
      this.#workerChanged({ ...worker, task })
    })
    pool.on('taskEnd', (task, detail) => {
      if (isMissingExport(detail.error)) this.#fail(detail.error.message)
      this.#taskChanged(task, detail.worker)
    })
    pool.on('taskRetry', (task, detail) => {
      this.#taskChanged(task, detail.worker)
    })
    for (const event of ['taskStuck', 'taskUnstuck', 'taskLost'] as const) {
      pool.on(event, (task, worker) => {
        this.#workerChanged({ ...worker, task })
      })
    }
    pool.on('output', (chunk) => {
      this.output.push(chunk)
    })
    pool.on('shutdown', (report, options) => {
      this.#lastIssues = report.issues
      observer.headerChanged()
      observer.shutdown(report, options)
    })
  }

  get id(): string {
    return this.pool.id
  }

  get name(): string {
    return this.pool.name
  }

  get live(): boolean {
    return this.pool.state !== 'ended'
  }

  get endedAt(): number | null {
    return this.pool.endedAt
  }

  /** Of the tasks that are done; null while there is none. */
  get meanTaskMs(): number | null {
    return this.pool.meanTaskMs
  }

  header(): PoolHeader {
    const { pool } = this
    const counts = pool.counts
    return {
      id: pool.id,
      name: pool.name,
      kind: pool.kind,
      state: pool.state,
      programId: null,
      program: null,
      verdicts: [],
      orphaned: false,
      label: this.label,
      startedAt: pool.startedAt,
      endedAt: pool.endedAt,
      counts,
      etaMs: this.#etaMs(counts),
      failure: pool.failure ?? this.#failure,
      issues: [...this.#lastIssues],
      exitedWorkerCount: pool.exitedWorkerCount,
      stats: statsOf(pool),
    }
  }

  workerNames(): Iterable<string> {
    return this.#workers.keys()
  }

  worker(name: string): WorkerSnapshot | undefined {
    const info = this.#workers.get(name)
    if (!info) return undefined
    const usage = info.status === 'exited' ? undefined : this.#usage.get(info.pid)
    return {
      name: info.name,
      pid: info.pid,
      status: info.status,
      exitCode: info.exitCode,
      signal: info.signal,
      cpuPercent: usage?.cpuPercent ?? null,
      memoryBytes: usage?.memoryBytes ?? null,
      tasksDone: info.tasksDone,
      startedAt: info.startedAt,
      exitedAt: info.exitedAt,
      task: info.task ? taskSnapshot(info.task, info.exitedAt) : null,
    }
  }

  liveWorkers(): ReturnType<HostedPool['liveWorkers']> {
    return [...this.#workers.values()]
      .filter((info) => info.status !== 'exited' && info.pid > 0)
      .map((info) => ({
        name: info.name,
        pid: info.pid,
        identity: this.#identities.get(info.name),
        taskId: info.task?.id ?? null,
        stuck: info.task?.stuck === true,
      }))
  }

  shutdown(order: ShutdownOrder): Promise<ShutdownReport> {
    return this.pool.shutdown(order)
  }

  shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    return this.pool.shutdownWorker(pid, order)
  }

  plan(order: ShutdownOrder): Promise<ShutdownPlan> {
    return this.pool.planShutdown(order)
  }

  planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    return this.pool.planShutdown(order, pid)
  }

  failures(limit: number): TaskFailures {
    return { failures: this.pool.failures.slice(-limit).map(failureOf), total: this.pool.failureCount }
  }

  async cancelTask(taskId: string): Promise<void> {
    const task = this.pool.task(taskId)
    if (!task) throw new RequestError(errorCodes.notFound, `The pool ${this.name} has no task ${taskId}.`)
    if (task.state !== 'queued' && task.state !== 'running') {
      throw new RequestError(errorCodes.wrongState, `The task ${task.label} has ended already (${task.state}).`)
    }
    await this.pool.cancelTask(taskId)
  }

  retryTask(taskId: string): void {
    const failure = this.pool.failures.find(({ task }) => task.id === taskId)
    if (!failure) throw new RequestError(errorCodes.notFound, `The pool ${this.name} has no failed task ${taskId}.`)
    if (this.pool.state !== 'init' && this.pool.state !== 'run') {
      throw new RequestError(
        errorCodes.wrongState,
        `The pool ${this.name} takes no more tasks (${this.pool.state}). Launch it again to run ` +
          `${failure.task.label} once more.`,
      )
    }
    this.pool.retryTask(taskId)
    this.#observer.headerChanged()
  }

  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void {
    for (const info of this.#workers.values()) {
      if (info.status === 'exited' || info.pid <= 0) continue
      const sample = samples?.get(info.pid)
      const before = this.#usage.get(info.pid)
      if (before?.cpuPercent === sample?.cpuPercent && before?.memoryBytes === sample?.memoryBytes) continue
      if (sample) this.#usage.set(info.pid, sample)
      else this.#usage.delete(info.pid)
      this.#observer.workerChanged(info.name)
    }
  }

  async dispose(): Promise<void> {
    this.pool.dispose()
    const { outputDirectory } = this.pool.options
    if (outputDirectory !== undefined) await rm(outputDirectory, { recursive: true, force: true })
  }

  /**
   * Ends the pool: the definition names an export that does not exist, so every further item would fail for the same
   * reason.
   */
  #fail(message: string): void {
    if (this.#failure !== null) return
    this.#failure =
      this.pool.kind === 'python'
        ? `"python": ${message}. Write the name of one after the colon.`
        : `"module": ${message}. Write the name of one after the #.`
    void this.pool.shutdown({ kill: false, askedBy: 'policy', reason: this.#failure })
  }

  #workerStarted(worker: WorkerInfo): void {
    this.#workerChanged(worker)
    // Resolved already on Linux; a process that is gone by then needs no line in the ledger.
    void this.pool.identityOf(worker.pid).then((identity) => {
      if (!identity || this.#workers.get(worker.name)?.status === 'exited') return
      this.#identities.set(worker.name, identity)
      this.#observer.started(worker, identity)
    })
  }

  #workerChanged(worker: WorkerInfo): void {
    // The state of an exited worker is final; later events do not change it.
    const before = this.#workers.get(worker.name)
    if (before?.status === 'exited' && worker.status !== 'exited') return
    this.#workers.set(worker.name, worker)
    this.#observer.workerChanged(worker.name)
    this.#observer.headerChanged()
  }

  #workerExited(worker: WorkerInfo): void {
    this.#workerChanged(worker)
    this.#usage.delete(worker.pid)
    const identity = this.#identities.get(worker.name)
    this.#identities.delete(worker.name)
    if (identity) this.#observer.exited(identity)
    this.#exits.push(worker.name)
    const oldest = this.#exits.length > listedExits ? this.#exits.shift() : undefined
    if (oldest !== undefined) {
      this.#workers.delete(oldest)
      this.#observer.workerRemoved(oldest)
    }
  }

  /** A task ended: the worker that took it along shows how. */
  #taskChanged(task: TaskInfo, workerName: string | null): void {
    const info = workerName === null ? undefined : this.#workers.get(workerName)
    if (info?.task?.id === task.id) {
      this.#workers.set(info.name, { ...info, task })
      this.#observer.workerChanged(info.name)
    }
    this.#observer.headerChanged()
  }

  /**
   * From the mean run time so far. A stuck task has no end and a slow one no known one, so their pool has none either.
   */
  #etaMs({ queued, running }: PoolHeader['counts']): number | null {
    const left = queued + running
    const { meanTaskMs } = this
    if (meanTaskMs === null || left === 0 || this.pool.state === 'terminate' || this.pool.state === 'ended') return null
    if (this.pool.runningTasks().some((task) => task.verdict !== null)) return null
    const atOnce = Math.max(1, Math.min(this.pool.processes, left))
    return Math.round(meanTaskMs * (left / atOnce))
  }
}

/** By its name: it comes from the worker, over a channel. */
function isMissingExport(error: unknown): error is Error {
  return error instanceof Error && error.name === 'MissingExportError'
}

/** Rounded: more digits would only be more bytes in every change. */
function statsOf(pool: Pool): PoolHeader['stats'] {
  const { utilisation, workersStarted, functions } = pool.stats()
  return {
    utilisation: Math.round(utilisation * 1000) / 1000,
    workersStarted,
    functions: functions.map(({ name, module, runs, runMs, waitMs }) => ({
      name,
      module,
      runs,
      runMs: rounded(runMs),
      waitMs: rounded(waitMs),
    })),
  }
}

function rounded(spread: Spread | null): Spread | null {
  if (spread === null) return null
  const micros = (ms: number): number => Math.round(ms * 1000) / 1000
  return {
    min: micros(spread.min),
    mean: micros(spread.mean),
    p50: micros(spread.p50),
    p90: micros(spread.p90),
    p99: micros(spread.p99),
    max: micros(spread.max),
  }
}

function taskSnapshot(task: TaskInfo, exitedAt: number | null): TaskSnapshot {
  const until = task.endedAt ?? exitedAt ?? Date.now()
  return {
    id: task.id,
    label: task.label,
    state: task.state,
    startedAt: task.startedAt,
    elapsedMs:
      exitedAt === null && task.elapsedMs !== null
        ? Math.round(task.elapsedMs)
        : task.startedAt === null
          ? 0
          : Math.max(0, until - task.startedAt),
    stuck: task.stuck,
    verdict: task.verdict && verdictSnapshot(task.verdict),
  }
}

function failureOf({ task, detail }: FailureRecord): TaskFailure {
  return {
    taskId: task.id,
    label: task.label,
    state: task.state,
    message: detail.message ?? '',
    worker: detail.worker ?? '',
    pid: detail.pid ?? -1,
    exitCode: detail.exitCode,
    signal: detail.signal,
    elapsedMs: detail.elapsedMs,
    attempts: task.attempt,
    stdoutPath: detail.stdoutPath,
    stderrPath: detail.stderrPath,
  }
}
