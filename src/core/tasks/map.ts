import { taskDone, taskFailed } from './task'
import type { Task, TaskOwner } from './task'

export interface MapOptions {
  /** Items per task. Default, as in CPython: four tasks for each worker, `ceil(n / (4 × processes))`. */
  readonly chunkSize?: number
}

/** Arguments of one call: a map of single items has many chunks. */
const mostAtOnce = 10_000

/** CPython's default: enough tasks to keep workers evenly busy, few enough that sending them costs nothing. */
export function defaultChunkSize(items: number, processes: number): number {
  return Math.max(1, Math.ceil(items / (4 * processes)))
}

/** @throws RangeError */
export function checkChunkSize(chunkSize: number | undefined): void {
  if (chunkSize === undefined || (Number.isInteger(chunkSize) && chunkSize >= 1)) return
  throw new RangeError(`chunkSize must be a whole number from 1 on, not ${JSON.stringify(chunkSize)}`)
}

/**
 * The chunks of one map(): puts their values together in the order of the items. As in CPython, a chunk that fails
 * fails the map, with the first error, but only once every other chunk has ended: then nothing of it runs any more.
 */
export class MapCollector implements TaskOwner {
  /** Settles the result of the map. */
  readonly #settle: (state: 'ok' | 'failed', outcome: unknown) => void

  readonly tasks: Task[] = []
  /** By chunk. */
  readonly #values: (readonly unknown[])[] = []
  #left: number
  #failed = false
  #error: unknown

  constructor(
    chunks: number,

    settle: (state: 'ok' | 'failed', outcome: unknown) => void,
  ) {
    this.#settle = settle

    this.#left = chunks
    if (chunks === 0) settle('ok', [])
  }

  [taskDone](task: Task, value: unknown): void {
    this.#values[task.index] = value as readonly unknown[]
    this.#over()
  }

  [taskFailed](_task: Task, error: unknown): void {
    if (!this.#failed) {
      this.#failed = true
      this.#error = error
    }
    this.#over()
  }

  #over(): void {
    if (--this.#left > 0) return
    this.tasks.length = 0
    if (this.#failed) this.#settle('failed', this.#error)
    else this.#settle('ok', joined(this.#values))
  }
}

/** Arrays as one; concat() copies memory, where flat() and push() go item by item. */
function joined(chunks: readonly (readonly unknown[])[]): unknown[] {
  let all: unknown[] = []
  for (let at = 0; at < chunks.length; at += mostAtOnce) all = all.concat(...chunks.slice(at, at + mostAtOnce))
  return all
}
