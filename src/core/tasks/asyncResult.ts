import { NotReadyError, TimeoutError } from '../terms/errors'
import { taskDone, taskFailed } from './task'
import type { Task, TaskOwner } from './task'

export interface ResultCallbacks<T> {
  /** Called once with the value, as soon as it is there. */
  readonly callback?: ((value: T) => void) | undefined
  /** Called once with what {@link AsyncResult.get} rejects with. */
  readonly errorCallback?: ((error: unknown) => void) | undefined
}

/** Who can end tasks: the pool. */
export interface Canceller {
  /** Resolves once they have ended. */
  cancelTasks(tasks: readonly Task[], reason: string): Promise<void>
}

/** Who waits for the outcome. Small, since there may be one for each of a million results. */
interface Waiter<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/**
 * The result of tasks handed in with `applyAsync`, `mapAsync` and the like (CPython's AsyncResult). A failure that
 * nobody asks for is no unhandled rejection: promises are made only by `get()` and `wait()`. A million of them are kept
 * small: what only few have (waiters, callbacks) is made when it is needed.
 */
export class AsyncResult<T = unknown> implements TaskOwner {
  /** The task it stands for, or who knows them. */
  #tasks: Task | (() => readonly Task[]) | undefined
  readonly #canceller: Canceller
  #callbacks: ResultCallbacks<T> | undefined
  /** One alone needs no list. */
  #waiting: Waiter<T> | Waiter<T>[] | undefined
  #state: 'pending' | 'ok' | 'failed' = 'pending'
  /** The value, or what it rejects with. */
  #outcome: unknown

  /** Made by the pool alone. */
  constructor(canceller: Canceller, callbacks: ResultCallbacks<T> | undefined, tasks?: () => readonly Task[]) {
    this.#tasks = tasks
    this.#canceller = canceller
    this.#callbacks =
      callbacks?.callback === undefined && callbacks?.errorCallback === undefined ? undefined : callbacks
  }

  get taskIds(): readonly string[] {
    return this.#list().map(({ id }) => id)
  }

  /** True once it has ended, in whatever way. */
  ready(): boolean {
    return this.#state !== 'pending'
  }

  /** True when it ended without an error. @throws NotReadyError while it has not ended */
  successful(): boolean {
    if (this.#state === 'pending') throw new NotReadyError(this.taskIds)
    return this.#state === 'ok'
  }

  /** The value, or a rejection with the task's own error. @throws TimeoutError after `timeoutMs`; the task goes on */
  get({ timeoutMs }: { timeoutMs?: number } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiter = { resolve, reject }
      if (timeoutMs === undefined || this.#state !== 'pending') this.#await(waiter)
      else
        this.#awaitFor(timeoutMs, waiter, () => {
          reject(new TimeoutError(timeoutMs, this.taskIds))
        })
    })
  }

  /** Resolves once it has ended, or after `timeoutMs`; never rejects. */
  wait({ timeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        resolve()
      }
      const waiter = { resolve: over, reject: over }
      if (timeoutMs === undefined || this.#state !== 'pending') this.#await(waiter)
      else this.#awaitFor(timeoutMs, waiter, over)
    })
  }

  /**
   * Ends just these tasks: a queued one leaves the queue, of a running one the worker is ended. Resolves once that is
   * done.
   */
  cancel(): Promise<void> {
    return this.#state === 'pending' ? this.#canceller.cancelTasks(this.#list(), 'cancel()') : Promise.resolve()
  }

  /** The pool's: its one task is done. */
  [taskDone](_task: Task, value: unknown): void {
    this.#settle('ok', value)
  }

  /** The pool's: its one task has ended in another way. */
  [taskFailed](_task: Task, error: unknown): void {
    this.#settle('failed', error)
  }

  /** The pool's: it stands for this task. */
  static of<T>(result: AsyncResult<T>, task: Task): void {
    result.#tasks = task
  }

  /** The pool's: all of its tasks have ended. */
  static settle<T>(result: AsyncResult<T>, state: 'ok' | 'failed', outcome: unknown): void {
    result.#settle(state, outcome)
  }

  #list(): readonly Task[] {
    const tasks = this.#tasks
    if (tasks === undefined) return []
    return typeof tasks === 'function' ? tasks() : [tasks]
  }

  #await(waiter: Waiter<T>): void {
    if (this.#state !== 'pending') this.#tell(waiter)
    else if (this.#waiting === undefined) this.#waiting = waiter
    else if (Array.isArray(this.#waiting)) this.#waiting.push(waiter)
    else this.#waiting = [this.#waiting, waiter]
  }

  #awaitFor(timeoutMs: number, waiter: Waiter<T>, tooLate: () => void): void {
    const stop = (): void => {
      clearTimeout(timer)
    }
    const inTime: Waiter<T> = {
      resolve: (value) => {
        stop()
        waiter.resolve(value)
      },
      reject: (error) => {
        stop()
        waiter.reject(error)
      },
    }
    const timer = setTimeout(() => {
      this.#forget(inTime)
      tooLate()
    }, timeoutMs)
    this.#await(inTime)
  }

  #forget(waiter: Waiter<T>): void {
    if (Array.isArray(this.#waiting)) this.#waiting = this.#waiting.filter((other) => other !== waiter)
    else if (this.#waiting === waiter) this.#waiting = undefined
  }

  #tell(waiter: Waiter<T>): void {
    if (this.#state === 'ok') waiter.resolve(this.#outcome as T)
    else waiter.reject(this.#outcome)
  }

  #settle(state: 'ok' | 'failed', outcome: unknown): void {
    if (this.#state !== 'pending') return
    this.#state = state
    this.#outcome = outcome
    const waiting = this.#waiting
    this.#waiting = undefined
    if (Array.isArray(waiting)) for (const waiter of waiting) this.#tell(waiter)
    else if (waiting) this.#tell(waiting)
    const callbacks = this.#callbacks
    if (callbacks === undefined) return
    this.#callbacks = undefined
    const { callback, errorCallback } = callbacks
    // The caller's code: what it throws must surface, but not in the middle of the pool's own work.
    if (state === 'ok' && callback)
      queueMicrotask(() => {
        callback(outcome as T)
      })
    if (state === 'failed' && errorCallback)
      queueMicrotask(() => {
        errorCallback(outcome)
      })
  }
}
