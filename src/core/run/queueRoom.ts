import type { TaskStore } from '../tasks/taskStore'

/** Back-pressure: callers wait here until the queue of the pool has room (`maxQueued`). */
export class QueueRoom {
  readonly #store: TaskStore
  readonly maxQueued: number
  readonly #mustAccept: () => void
  /** In the order in which they came. */
  readonly #waiting: (() => void)[] = []

  /** @param mustAccept Throws when the pool takes no more tasks. */
  constructor(store: TaskStore, maxQueued: number, mustAccept: () => void) {
    this.#store = store
    this.maxQueued = maxQueued
    this.#mustAccept = mustAccept
  }

  get isFull(): boolean {
    return this.#store.queueLength >= this.maxQueued
  }

  /** Resolves when the queue has room. Rejects when the pool takes no more tasks, also while waiting. */
  async wait(): Promise<void> {
    this.#mustAccept()
    while (this.isFull) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
      this.#mustAccept()
    }
  }

  /** The waiting callers check again; to be called after the queue got shorter, and at the end of the pool. */
  wake(): void {
    for (const check of this.#waiting.splice(0)) check()
  }

  /** As {@link wake}, when there is room. */
  freed(): void {
    if (this.#waiting.length > 0 && !this.isFull) this.wake()
  }
}
