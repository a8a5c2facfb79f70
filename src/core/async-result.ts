import { NotReadyError, TimeoutError } from './errors'

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

/** What the pool holds of an {@link AsyncResult} to end it. */
export interface Settle<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

export interface ResultCallbacks<T> {
  /** Called once with the value, as soon as it is there. */
  readonly callback?: ((value: T) => void) | undefined
  /** Called once with what {@link AsyncResult.get} rejects with. */
  readonly errorCallback?: ((error: unknown) => void) | undefined
}

/**
 * The result of tasks handed in with `applyAsync` (CPython's AsyncResult). A failure that nobody asks for is no
 * unhandled rejection: promises are made only by `get()` and `wait()`.
 */
export class AsyncResult<T = unknown> {
  readonly taskIds: readonly string[]
  readonly #cancel: () => Promise<void>
  readonly #callbacks: ResultCallbacks<T>
  #settled: Settled<T> | undefined
  readonly #waiting = new Set<() => void>()

  private constructor(taskIds: readonly string[], cancel: () => Promise<void>, callbacks: ResultCallbacks<T>) {
    this.taskIds = taskIds
    this.#cancel = cancel
    this.#callbacks = callbacks
  }

  /** A result and the handle that settles it, which stays with the pool. */
  static create<T>(taskIds: readonly string[], cancel: () => Promise<void>, callbacks: ResultCallbacks<T> = {}): { result: AsyncResult<T>; settle: Settle<T> } {
    const result = new AsyncResult(taskIds, cancel, callbacks)
    return {
      result,
      settle: {
        resolve(value) {
          result.#settle({ ok: true, value })
        },
        reject(error) {
          result.#settle({ ok: false, error })
        },
      },
    }
  }

  /** True once it has ended, in whatever way. */
  ready(): boolean {
    return this.#settled !== undefined
  }

  /** True when it ended without an error. @throws NotReadyError while it has not ended */
  successful(): boolean {
    if (this.#settled === undefined) throw new NotReadyError(this.taskIds)
    return this.#settled.ok
  }

  /** The value, or a rejection with the task's own error. @throws TimeoutError after `timeoutMs`; the task goes on */
  async get(options: { timeoutMs?: number } = {}): Promise<T> {
    await this.wait(options)
    const settled = this.#settled
    if (settled === undefined) throw new TimeoutError(options.timeoutMs ?? 0, this.taskIds)
    if (settled.ok) return settled.value
    throw settled.error
  }

  /** Resolves once it has ended, or after `timeoutMs`; never rejects. */
  wait(options: { timeoutMs?: number } = {}): Promise<void> {
    if (this.#settled !== undefined) return Promise.resolve()
    const { timeoutMs } = options
    return new Promise((resolve) => {
      if (timeoutMs === undefined) {
        this.#waiting.add(resolve)
        return
      }
      const settled = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(settled)
        resolve()
      }, timeoutMs)
      this.#waiting.add(settled)
    })
  }

  /** Ends just these tasks: a queued one leaves the queue, of a running one the worker is ended. Resolves once that is done. */
  cancel(): Promise<void> {
    return this.#settled === undefined ? this.#cancel() : Promise.resolve()
  }

  #settle(settled: Settled<T>): void {
    if (this.#settled !== undefined) return
    this.#settled = settled
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
    const { callback, errorCallback } = this.#callbacks
    // The caller's code: what it throws must surface, but not in the middle of the pool's own work.
    if (settled.ok && callback) queueMicrotask(() => { callback(settled.value) })
    if (!settled.ok && errorCallback) queueMicrotask(() => { errorCallback(settled.error) })
  }
}
