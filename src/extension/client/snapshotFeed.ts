import type { PoolStore } from '../model/poolStore'
import type { Disposable } from '../lifecycle'
import type { HostConnection } from './connection'

/** A snapshot of 1,000 workers takes the host some milliseconds; this is for a host that hangs. */
const snapshotTimeoutMs = 10_000

/**
 * Fills a store from one connection: a full snapshot first, then deltas as the host announces revisions. One fetch at a
 * time; what is announced meanwhile is fetched after it, so a burst costs two fetches at most.
 */
export class SnapshotFeed implements Disposable {
  readonly #connection: HostConnection
  readonly #store: PoolStore
  readonly #log: (message: string) => void
  readonly #subscription: Disposable
  #announced = 0
  #running: Promise<void> | undefined
  #first = true
  #disposed = false

  constructor(connection: HostConnection, store: PoolStore, log: (message: string) => void) {
    this.#connection = connection
    this.#store = store
    this.#log = log
    this.#subscription = connection.onNotification('unhang/changed', ({ rev }) => {
      this.#announced = Math.max(this.#announced, rev)
      if (this.#store.rev === undefined || rev > this.#store.rev) void this.refresh()
    })
  }

  /**
   * Fetches until the store is at the announced revision. Never rejects; a failure is logged and the next change tries
   * again.
   */
  refresh(): Promise<void> {
    this.#running ??= this.#fetchAll()
      .catch((error: unknown) => {
        if (!this.#disposed)
          this.#log(`Reading the pools failed: ${error instanceof Error ? error.message : String(error)}`)
      })
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  dispose(): void {
    this.#disposed = true
    this.#subscription.dispose()
  }

  async #fetchAll(): Promise<void> {
    for (;;) {
      // Revisions belong to one host: the first fetch of a connection is always full.
      const since = this.#first ? undefined : this.#store.rev
      const snapshot = await this.#connection.request('unhang/snapshot', since === undefined ? {} : { since }, {
        timeoutMs: snapshotTimeoutMs,
      })
      if (this.#disposed) return
      this.#first = this.#store.apply(snapshot) === 'gap'
      // A host that announces what it does not have must not make us ask for ever.
      const behind = this.#announced > snapshot.rev && snapshot.rev !== since
      if (!this.#first && !behind) return
    }
  }
}
