import type { WorkerInfo } from '../terms/types'

/**
 * Exited workers that stay visible with their exit codes: a screenful or two, whatever a pool of commands goes through.
 */
const kept = 100

/** The workers that have exited: the last ones in full, all of them as a number. */
export class ExitedWorkers {
  readonly #last: WorkerInfo[] = []
  #count = 0

  /** Oldest first. */
  get last(): readonly WorkerInfo[] {
    return this.#last
  }

  get count(): number {
    return this.#count
  }

  add(worker: WorkerInfo): void {
    this.#count++
    this.#last.push(worker)
    if (this.#last.length > kept) this.#last.shift()
  }
}
