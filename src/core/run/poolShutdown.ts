import type { ShutdownPlan, ShutdownReport } from '../../shutdown'
import type { ShutdownOptions } from '../terms/types'
import { endWorkers, planEnd, type EndWorkersRequest } from '../workers/endWorkers'
import type { Worker } from '../workers/worker'
import type { RunContext } from './runContext'
import type { WorkerExits } from './workerExits'

/** The pool whose workers are ended. */
export interface PoolShutdownContext extends RunContext {
  readonly exits: WorkerExits
  workers(): ReadonlySet<Worker>
  /** No worker and no task is started from here on. */
  stop(reason: string): void
  /** All workers were ended, as far as they could be. */
  ended(report: ShutdownReport): void
}

/** Ends the whole pool or one worker of it, always through the shutdown core. */
export class PoolShutdown {
  readonly #pool: PoolShutdownContext

  constructor(pool: PoolShutdownContext) {
    this.#pool = pool
  }

  async all(options: ShutdownOptions): Promise<ShutdownReport> {
    const { exits, tell } = this.#pool
    const report = await this.#end({
      ...this.#request(this.#whole, [...this.#pool.workers()], options, true),
      stopRefill: () => {
        this.#pool.stop(options.reason)
      },
    })
    for (const worker of this.#pool.workers()) worker.unref()
    for (const worker of exits.leftBehind) worker.closePipes()
    exits.leftBehind.clear()
    this.#pool.ended(report)
    tell('shutdown', () => [report, options])
    return report
  }

  async one(pid: number, options: ShutdownOptions): Promise<ShutdownReport> {
    const worker = this.workerOf(pid)
    const report = await this.#end(this.#request(this.#subjectOf(worker, pid), worker ? [worker] : [], options, false))
    this.#pool.tell('shutdown', () => [report, options])
    return report
  }

  /** What {@link all}, or with a pid {@link one}, would do now; sends no signal. */
  async plan(options: ShutdownOptions, pid?: number): Promise<ShutdownPlan> {
    const { system, settings } = this.#pool
    if (pid === undefined) return planEnd(this.#request(this.#whole, [...this.#pool.workers()], options, true), system)
    const worker = this.workerOf(pid)
    const plan = await planEnd(
      this.#request(this.#subjectOf(worker, pid), worker ? [worker] : [], options, false),
      system,
    )
    const goesOn =
      settings.kind === 'command'
        ? 'The pool goes on with its next item'
        : 'The pool starts another worker in its place'
    return { ...plan, consequence: `${goesOn}${this.#taskEnds(worker)}.` }
  }

  /** A live worker. */
  workerOf(pid: number): Worker | undefined {
    if (pid <= 0) return undefined
    for (const worker of this.#pool.workers()) if (worker.pid === pid && !worker.exited) return worker
    return undefined
  }

  #taskEnds(worker: Worker | undefined): string {
    const task = worker?.task?.state === 'running' ? worker.task : undefined
    if (task === undefined) return ''
    return task.attempt <= this.#pool.settings.retries ? `; ${task.label} runs again` : `; ${task.label} is lost`
  }

  async #end(request: EndWorkersRequest): Promise<ShutdownReport> {
    const { exits, system, tell } = this.#pool
    const { workers } = request
    const report = await endWorkers(request, system)
    await Promise.all(workers.map((worker) => exits.finishing.get(worker) ?? Promise.resolve()))
    for (const worker of workers) {
      if (!worker.exited) tell('workerChange', () => [worker.describe()])
    }
    return report
  }

  get #whole(): ShutdownReport['subject'] {
    return { id: this.#pool.id, name: this.#pool.settings.name }
  }

  #subjectOf(worker: Worker | undefined, pid: number): ShutdownReport['subject'] {
    return { id: `${this.#pool.id}/${worker?.name ?? pid}`, name: worker?.name ?? `pid ${pid}`, kind: 'worker' }
  }

  /** @param whole Of the whole pool: processes that its former workers left running end as well. */
  #request(
    subject: ShutdownReport['subject'],
    workers: readonly Worker[],
    options: ShutdownOptions,
    whole: boolean,
  ): EndWorkersRequest {
    const { exits, settings, tell } = this.#pool
    return {
      subject,
      workers,
      leftBehind: whole ? [...exits.leftBehind] : [],
      ...(whole ? { formerWorkers: exits.former } : {}),
      options,
      gracePeriodMs: options.gracePeriodMs ?? settings.gracePeriodMs,
      useSigkill: options.useSigkill ?? settings.useSigkill,
      endedLater: (report) => {
        tell('shutdown', () => [report, options])
      },
    }
  }
}
