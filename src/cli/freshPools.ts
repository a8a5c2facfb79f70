import type { HostConnection } from '../discovery'
import type { PoolSnapshot } from '../protocol'
import { fetchPools } from './snapshots'

/**
 * The pools as they are, fetched whenever they may have changed: one request at a time, and a change that comes
 * meanwhile is fetched right after.
 */
export class FreshPools {
  readonly #host: HostConnection
  readonly #take: (pools: readonly PoolSnapshot[]) => void
  readonly #onError: (error: unknown) => void

  #outdated = false
  #underway = false

  /** @param onError A request failed, or `take` threw; the next {@link refresh} tries again. */
  constructor(host: HostConnection, take: (pools: readonly PoolSnapshot[]) => void, onError: (error: unknown) => void) {
    this.#host = host
    this.#take = take
    this.#onError = onError
  }

  /** An answer is being waited for. */
  get fetching(): boolean {
    return this.#underway
  }

  refresh(): void {
    this.#outdated = true
    if (!this.#underway) void this.#fetchWhileOutdated()
  }

  async #fetchWhileOutdated(): Promise<void> {
    this.#underway = true
    try {
      while (this.#outdated) {
        this.#outdated = false
        this.#take(await fetchPools(this.#host))
      }
    } catch (error) {
      this.#onError(error)
    } finally {
      this.#underway = false
    }
  }
}
