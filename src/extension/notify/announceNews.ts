import { DisposableStore, type Disposable } from '../lifecycle'
import type { PoolCatalog } from '../model/poolCatalog'
import { Burst } from './burst'
import type { NewsMemory } from './newsMemory'

/** Stuck parts with one cause are found within a moment; they are one piece of news. */
const burstMs = 1_000

/** What is announced, and how. */
export interface News<T> {
  readonly catalog: PoolCatalog
  /** Knows what was announced already. */
  readonly memory: NewsMemory<T>
  /** All that is news or was, in the catalog as it is. */
  readonly find: (catalog: PoolCatalog) => readonly T[]
  readonly announce: (items: readonly T[]) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Announces what is new after each change of the catalog, once, and together what comes within a moment. */
export function announceNews<T>({ catalog, memory, find, announce, onError }: News<T>): Disposable {
  const owned = new DisposableStore()
  const burst = owned.add(
    new Burst<T>(burstMs, (items) => {
      announce(items).catch(onError)
    }),
  )
  owned.add(
    catalog.onDidChange(() => {
      const poolIds = new Set(catalog.pools.map((pool) => pool.header.id))
      for (const item of memory.update(find(catalog), poolIds)) burst.add(item)
    }),
  )
  return owned
}
