import type { WorkerInfo } from '../terms/types'
import { ExitedWorkers } from '../workers/exitedWorkers'
import { FormerWorkers } from '../workers/formerWorkers'
import type { Worker } from '../workers/worker'

/** Workers that have exited, and what of them is not over yet. */
export class WorkerExits {
  /** What is shown of them. */
  readonly exited = new ExitedWorkers()
  /** What they may have left running. */
  readonly former = new FormerWorkers()
  /** Gone, but something they left behind still holds their output. */
  readonly leftBehind = new Set<Worker>()
  /** Commands that have exited and whose output is still being written. */
  readonly finishing = new Map<Worker, Promise<void>>()

  readonly #shown: (info: WorkerInfo) => void

  /** @param shown Called for each worker once its exit is told, with its task's outcome. */
  constructor(shown: (info: WorkerInfo) => void) {
    this.#shown = shown
  }

  /** @param outcome Resolves when the worker's task has its outcome; undefined when it has it, or there is no task. */
  add(worker: Worker, outcome: Promise<void> | undefined): void {
    if (outcome === undefined) {
      this.#show(worker)
      return
    }
    const finishing = outcome.then(() => {
      this.finishing.delete(worker)
      this.#show(worker)
    })
    this.finishing.set(worker, finishing)
  }

  /** Notes what a worker that is gone may have left. */
  left(worker: Worker): void {
    if (worker.pipesHeld) this.leftBehind.add(worker)
    this.former.add(worker)
  }

  #show(worker: Worker): void {
    const now = worker.describe()
    // A task that runs again has gone on to another worker: what this one took with it was lost.
    const info =
      now.task?.state === 'queued' || now.task?.state === 'running'
        ? { ...now, task: { ...now.task, state: 'lost' as const } }
        : now
    this.exited.add(info)
    this.#shown(info)
  }
}
