/**
 * Items of one `runItems` call that nobody has taken yet: pulled one by one, so that a million cost nothing while they
 * wait.
 */
export class PendingItems {
  readonly #iterator: Iterator<unknown>
  readonly #total: number | undefined
  readonly done: Promise<void>
  readonly #resolveDone: () => void
  readonly #rejectDone: (error: unknown) => void
  #error: { readonly thrown: unknown } | undefined
  #taken = 0
  #unfinished = 0
  #exhausted = false

  constructor(items: Iterable<unknown>, total: number | undefined) {
    this.#iterator = items[Symbol.iterator]()
    this.#total = total ?? (Array.isArray(items) ? items.length : undefined)
    const { promise, resolve, reject } = withResolvers()
    this.done = promise
    // Whoever waits hears of it; for those who do not, it is no unhandled rejection.
    promise.catch(() => undefined)
    this.#resolveDone = resolve
    this.#rejectDone = reject
  }

  /** How many are left, as far as that is known. */
  get remaining(): number {
    return this.#exhausted || this.#total === undefined ? 0 : Math.max(0, this.#total - this.#taken)
  }

  /** How many may be left. */
  get left(): number {
    return this.#exhausted ? 0 : this.#total === undefined ? Infinity : Math.max(1, this.#total - this.#taken)
  }

  /**
   * The next item; undefined when there are no more. An iterator that throws ends the source, and `done` rejects with
   * what it threw.
   */
  take(): { item: unknown; index: number } | undefined {
    if (this.#exhausted) return undefined
    let step: IteratorResult<unknown>
    try {
      step = this.#iterator.next()
    } catch (thrown) {
      this.#error = { thrown }
      this.stop()
      return undefined
    }
    if (step.done === true) {
      this.stop()
      return undefined
    }
    this.#unfinished++
    return { item: step.value, index: this.#taken++ }
  }

  /** One of its items has ended, in whatever way. */
  finished(): void {
    this.#unfinished--
    if (this.#exhausted && this.#unfinished === 0) this.#settle()
  }

  /** No item is taken any more (all are, or the pool ends). */
  stop(): void {
    if (this.#exhausted) return
    this.#exhausted = true
    if (this.#unfinished === 0) this.#settle()
  }

  #settle(): void {
    if (this.#error === undefined) this.#resolveDone()
    else this.#rejectDone(this.#error.thrown)
  }
}

/** Promise.withResolvers, which Node has from version 22 only. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve: (() => void) | undefined
  let reject: ((error: unknown) => void) | undefined
  const promise = new Promise<void>((settle, fail) => {
    resolve = settle
    reject = fail
  })
  return { promise, resolve: () => resolve?.(), reject: (error) => reject?.(error) }
}
