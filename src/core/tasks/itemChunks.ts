import { surfaceErrors } from '../terms/surfaceErrors'
import { taskDone, taskFailed } from './task'
import type { Task, TaskOwner } from './task'

/**
 * Items in lists of `size`, the last one perhaps shorter; what the iterable throws comes after the whole lists before
 * it.
 */
export function* chunksOf(items: Iterable<unknown>, size: number): Generator<unknown[]> {
  let chunk: unknown[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** Tells the values of items, whose tasks are chunks of `size` when that is more than one. */
export class ItemResults implements TaskOwner {
  readonly #size: number
  readonly #onResult: (index: number, value: unknown) => void

  constructor(size: number, onResult: (index: number, value: unknown) => void) {
    this.#size = size
    this.#onResult = onResult
  }

  [taskDone](task: Task, value: unknown): void {
    if (this.#size === 1) {
      surfaceErrors(() => {
        this.#onResult(task.index, value)
      })
      return
    }
    for (const [at, one] of (value as unknown[]).entries())
      surfaceErrors(() => {
        this.#onResult(task.index * this.#size + at, one)
      })
  }

  [taskFailed](): void {
    // Failures are told by the pool's events.
  }
}
