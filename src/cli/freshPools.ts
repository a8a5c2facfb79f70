import type { HostConnection } from '../discovery'
import type { PoolSnapshot } from '../protocol'
import { fetchPools } from './snapshots'

/**
 * The pools as they are, fetched whenever they may have changed: one request at a time, and a change that comes
 * meanwhile is fetched right after.
 */
export class FreshPools {
  private outdated = false
  private underway = false

  /** @param onError A request failed, or `take` threw; the next {@link refresh} tries again. */
  constructor(
    private readonly host: HostConnection,
    private readonly take: (pools: readonly PoolSnapshot[]) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** An answer is being waited for. */
  get fetching(): boolean {
    return this.underway
  }

  refresh(): void {
    this.outdated = true
    if (!this.underway) void this.fetchWhileOutdated()
  }

  private async fetchWhileOutdated(): Promise<void> {
    this.underway = true
    try {
      while (this.outdated) {
        this.outdated = false
        this.take(await fetchPools(this.host))
      }
    } catch (error) {
      this.onError(error)
    } finally {
      this.underway = false
    }
  }
}
