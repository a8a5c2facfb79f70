import type { ShutdownReport } from '../../shutdown'
import type { Task } from '../tasks/task'
import type { ShutdownOptions } from '../terms/types'
import type { Worker } from '../workers/worker'

/** What a cancel needs from its pool. */
export interface CancellationContext {
  /** If it has not begun, it waits in the queue from here on, until this turn is over. */
  takeBack(task: Task): void
  /** Ends a task that waits in the queue. */
  cancelWaiting(task: Task, reason: string): void
  /** Who has it, also when that worker has exited and its output is still being written. */
  workerOf(task: Task): Worker | undefined
  /** Settles when the output of an exited worker has been written. */
  finished(worker: Worker): Promise<void> | undefined
  shutdownWorker(pid: number, options: ShutdownOptions): Promise<ShutdownReport>
}

/** Ends tasks that nobody wants any more, wherever they are: in the queue, sent ahead, running, or just answered. */
export class Cancellation {
  readonly #pool: CancellationContext

  constructor(pool: CancellationContext) {
    this.#pool = pool
  }

  /** A waiting task leaves the queue, of a running one the worker is ended. Returns what could not be ended. */
  async one(task: Task, options: ShutdownOptions): Promise<string[]> {
    if (this.#cancelUnbegun(task, options.reason)) return []
    if (task.state !== 'queued' && task.state !== 'running') return []
    const worker = this.#pool.workerOf(task)
    // Answered already: its end is being told just now.
    if (worker === undefined) return []
    task.incident.intent = { kind: 'cancel', reason: options.reason }
    if (worker.exited) {
      await worker.whenGone()
      await this.#pool.finished(worker)
      return []
    }
    if (!worker.isAt(task)) {
      await answered(task, worker)
      return []
    }
    const report = await this.#pool.shutdownWorker(worker.pid, options)
    return [...report.issues]
  }

  async all(tasks: readonly Task[], reason: string): Promise<void> {
    const options = { kill: false, useSigkill: true, askedBy: 'api' as const, reason }
    // Those that wait first: otherwise a worker that replaces one that was ended would begin them.
    const begun = tasks.filter((task) => !this.#cancelUnbegun(task, reason))
    await Promise.all(begun.map((task) => this.one(task, options)))
  }

  /** Ends a task that has not begun; what others think of it (it may have been sent ahead) does not matter. */
  #cancelUnbegun(task: Task, reason: string): boolean {
    this.#pool.takeBack(task)
    if (task.place !== 'queue') return false
    this.#pool.cancelWaiting(task, reason)
    return true
  }
}

/** Its answer has been written, and is read within a turn or two; a worker whose channel is broken is ended. */
async function answered(task: Task, worker: Worker): Promise<void> {
  while (worker.has(task) && !worker.exited) await new Promise((resolve) => setImmediate(resolve))
  if (worker.has(task)) await worker.whenGone()
}
