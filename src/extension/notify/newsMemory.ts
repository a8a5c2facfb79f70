/**
 * Remembers what is so, so that each thing is announced once. What is already so at the first look at a host is taken
 * as known: somebody was told when it happened, and the badge shows it.
 */
export class NewsMemory<Item> {
  /** Key of what is known, and its pool. */
  readonly #known = new Map<string, string>()
  #isFirstLook = true

  readonly #poolIdOf: (item: Item) => string
  readonly #keyOf: (item: Item) => string

  /** @param keyOf What tells two of them apart, whatever their pools. */
  constructor(poolIdOf: (item: Item) => string, keyOf: (item: Item) => string) {
    this.#poolIdOf = poolIdOf
    this.#keyOf = keyOf
  }

  /** What is so now and was not before. `items` is all that is so, `poolIds` every pool that is known now. */
  update(items: readonly Item[], poolIds: ReadonlySet<string>): Item[] {
    const now = new Map(items.map((item) => [this.#keyOf(item), item]))
    const fresh = this.#isFirstLook ? [] : [...now].filter(([key]) => !this.#known.has(key)).map(([, item]) => item)
    this.#isFirstLook = false
    // A pool that is gone for a moment (its host reconnects) keeps its memory, one that stays is brought up to date.
    for (const [key, poolId] of this.#known) if (poolIds.has(poolId) && !now.has(key)) this.#known.delete(key)
    for (const [key, item] of now) this.#known.set(key, this.#poolIdOf(item))
    return fresh
  }
}
