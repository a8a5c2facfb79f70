/** Calls `sample` with the subscriptions that are due, one call at a time, as long as there are any. */
export class Rhythm<Subscription extends { readonly intervalMs: number }> {
  readonly #now: () => number
  readonly #sample: (due: readonly Subscription[]) => Promise<void>
  readonly #onError: (error: unknown) => void

  readonly #dueAt = new Map<Subscription, number>()
  #timer: NodeJS.Timeout | undefined
  #sampling = false

  constructor(
    now: () => number,
    sample: (due: readonly Subscription[]) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#now = now
    this.#sample = sample
    this.#onError = onError
  }

  get running(): boolean {
    return this.#dueAt.size > 0
  }

  /** False once a subscription was disposed, also when that happened while a reading ran for it. */
  has(subscription: Subscription): boolean {
    return this.#dueAt.has(subscription)
  }

  get longestIntervalMs(): number {
    return Math.max(0, ...[...this.#dueAt.keys()].map((subscription) => subscription.intervalMs))
  }

  add(subscription: Subscription): Disposable {
    // A copy, so that subscribing the same object twice makes two subscriptions.
    const own = { ...subscription }
    this.#dueAt.set(own, this.#now())
    this.#schedule()
    return {
      [Symbol.dispose]: () => {
        this.#dueAt.delete(own)
        this.#schedule()
      },
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#sampling || this.#dueAt.size === 0) return
    const waitMs = Math.max(0, Math.min(...this.#dueAt.values()) - this.#now())
    this.#timer = setTimeout(() => void this.#run(), waitMs)
    this.#timer.unref()
  }

  async #run(): Promise<void> {
    this.#sampling = true
    const now = this.#now()
    // A subscription that is due within a quarter of its interval joins, so that equal intervals fall into step.
    const due = [...this.#dueAt]
      .filter(([{ intervalMs }, at]) => at - now <= intervalMs / 4)
      .map(([subscription]) => subscription)
    for (const subscription of due) this.#dueAt.set(subscription, now + subscription.intervalMs)
    try {
      await this.#sample(due)
    } catch (error) {
      this.#onError(error)
    } finally {
      this.#sampling = false
      this.#schedule()
    }
  }
}
