/**
 * Where a worker keeps {@link CurrentTask}: a symbol of the whole process, since pool and worker code are bundled
 * apart.
 */
const key = Symbol.for('unhang.currentTask')

/** What a running task can know of itself. */
export interface CurrentTask {
  /** As the pool shows it, `t42`. */
  readonly id: string
  /** Aborts when the task has run for the pool's `softTimeoutMs`: time to finish up before the hard limit. */
  readonly signal: AbortSignal
}

/**
 * In a module worker, the task that is running; undefined elsewhere. Call it before the first `await`: afterwards
 * another task may be running.
 */
export function currentTask(): CurrentTask | undefined {
  return (globalThis as { [key]?: CurrentTask })[key]
}

/** The worker's side; makes an AbortSignal only for who asks. */
export class RunningTask implements CurrentTask {
  #controller: AbortController | undefined
  readonly #number: number

  constructor(number: number) {
    this.#number = number
  }

  get id(): string {
    return `t${this.#number}`
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  softTimeout(reason: Error): void {
    ;(this.#controller ??= new AbortController()).abort(reason)
  }

  static show(task: RunningTask | undefined): void {
    ;(globalThis as { [key]?: CurrentTask | undefined })[key] = task
  }
}
