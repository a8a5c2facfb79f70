/**
 * A worker between two tasks answers within microseconds. A wrong guess on a machine that swaps costs a worker, and no
 * task.
 */
const patienceMs = 2000

/** Limits the wait for a worker's answer to a recall: a stopped worker, say, would hold its place indefinitely. */
export class MarkTimer {
  readonly #expired: (waitedMs: number) => void
  #timer: NodeJS.Timeout | undefined

  constructor(expired: (waitedMs: number) => void) {
    this.#expired = expired
  }

  /** Starts to wait; a wait that has begun goes on. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      // If our own event loop was busy for that long, the answer is only read after this timer: one turn more.
      setImmediate(() => {
        this.#expired(patienceMs)
      })
    }, patienceMs)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
