import type { Task } from '../tasks/task'
import type { Worker } from '../workers/worker'

/** The tasks that run at this moment, each with its worker. */
export class RunningTasks implements Iterable<{ task: Task; worker: Worker }> {
  readonly #workers: () => ReadonlySet<Worker>

  constructor(workers: () => ReadonlySet<Worker>) {
    this.#workers = workers
  }

  *[Symbol.iterator](): Generator<{ task: Task; worker: Worker }> {
    for (const worker of this.#workers()) {
      if (worker.task?.state === 'running') yield { task: worker.task, worker }
    }
  }

  /** The last 64 KiB of each stream of a running task. */
  outputTail(taskId: string): { stdout: string; stderr: string } | undefined {
    for (const { task, worker } of this) {
      if (task.id === taskId)
        return { stdout: worker.capture?.tail('stdout') ?? '', stderr: worker.capture?.tail('stderr') ?? '' }
    }
    return undefined
  }
}
