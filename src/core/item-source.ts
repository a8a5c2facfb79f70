/** Items of one `runItems` call that nobody has taken yet: pulled one by one, so that a million cost nothing while they wait. */
export class ItemSource {
  readonly #iterator: Iterator<unknown>
  readonly #total: number | undefined
  readonly onResult: ((index: number, value: unknown) => void) | undefined
  readonly done: Promise<void>
  readonly #resolveDone: () => void
  #taken = 0
  #unfinished = 0
  #exhausted = false

  constructor(items: Iterable<unknown>, total: number | undefined, onResult: ((index: number, value: unknown) => void) | undefined) {
    this.#iterator = items[Symbol.iterator]()
    this.#total = total ?? (Array.isArray(items) ? items.length : undefined)
    this.onResult = onResult
    const { promise, resolve } = withResolvers()
    this.done = promise
    this.#resolveDone = resolve
  }

  /** How many are left, as far as that is known. */
  get remaining(): number {
    return this.#exhausted || this.#total === undefined ? 0 : Math.max(0, this.#total - this.#taken)
  }

  /** The next item; undefined when there are no more. An iterator that throws ends the source with that error. */
  take(): { item: unknown; index: number } | undefined {
    if (this.#exhausted) return undefined
    let step: IteratorResult<unknown>
    try {
      step = this.#iterator.next()
    } catch (error) {
      this.stop()
      throw error
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
    if (this.#exhausted && this.#unfinished === 0) this.#resolveDone()
  }

  /** No item is taken any more (all are, or the pool ends). */
  stop(): void {
    if (this.#exhausted) return
    this.#exhausted = true
    if (this.#unfinished === 0) this.#resolveDone()
  }
}

/** Promise.withResolvers, which Node has from version 22 only. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: (() => void) | undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve: () => resolve?.() }
}
