import type { MachineSnapshot, WorkerSnapshot } from '../../protocol'
import { Emitter, type Disposable } from '../lifecycle'
import type { PoolRecord, PoolStore, StoreChange } from './poolStore'

/** A worker with the pool it belongs to. */
export interface PlacedWorker {
  readonly pool: PoolRecord
  readonly worker: WorkerSnapshot
}

/** The pools of every folder of the window, as one list. Pool ids are unique across hosts (they are random). */
export class PoolCatalog implements Disposable {
  readonly #stores = new Map<PoolStore, { readonly folder: string; readonly subscription: Disposable }>()
  readonly #changed = new Emitter<StoreChange>()

  readonly onDidChange = this.#changed.event

  /** Adds the pools of a folder until the result is disposed. */
  addStore(store: PoolStore, folder: string): Disposable {
    this.#stores.set(store, { folder, subscription: store.onDidChange((change) => { this.#changed.fire(change) }) })
    return {
      dispose: () => {
        this.#stores.get(store)?.subscription.dispose()
        if (this.#stores.delete(store)) this.#changed.fire({ membership: true, pools: new Set(), workers: new Map(), machine: true })
      },
    }
  }

  /** Newest first: what was launched last is what one looks for. */
  get pools(): PoolRecord[] {
    return [...this.#stores.keys()].flatMap((store) => store.pools).sort((a, b) => b.header.startedAt - a.header.startedAt)
  }

  pool(poolId: string): PoolRecord | undefined {
    for (const store of this.#stores.keys()) {
      const pool = store.pool(poolId)
      if (pool !== undefined) return pool
    }
    return undefined
  }

  /** The name of a pool's folder, where there are several that it could be: two folders may use one label. */
  folderOf(poolId: string): string | undefined {
    if (this.#stores.size < 2) return undefined
    for (const [store, { folder }] of this.#stores) if (store.pool(poolId) !== undefined) return folder
    return undefined
  }

  worker(poolId: string, name: string): WorkerSnapshot | undefined {
    return this.pool(poolId)?.workers.get(name)
  }

  get livePools(): PoolRecord[] {
    return this.pools.filter((pool) => pool.header.state !== 'ended')
  }

  get endedPools(): PoolRecord[] {
    return this.pools.filter((pool) => pool.header.state === 'ended')
  }

  /** Every worker that has not exited. */
  get liveWorkers(): PlacedWorker[] {
    return this.pools.flatMap((pool) => [...pool.workers.values()].filter((worker) => worker.status !== 'exited').map((worker) => ({ pool, worker })))
  }

  get stuckWorkers(): PlacedWorker[] {
    return this.liveWorkers.filter(({ worker }) => worker.task?.stuck === true)
  }

  /** Stuck tasks by the hosts' own count, which also knows workers that are not listed. */
  get stuckCount(): number {
    return this.livePools.reduce((sum, pool) => sum + pool.header.counts.stuck, 0)
  }

  /** The machine as any host measured it; they share the machine. The pools' share is the sum of all hosts. */
  get machine(): MachineSnapshot | null {
    const measured = [...this.#stores.keys()].flatMap((store) => store.machine ?? [])
    const [first] = measured
    if (first === undefined) return null
    return {
      ...first,
      poolsCpuPercent: measured.reduce((sum, machine) => sum + machine.poolsCpuPercent, 0),
      poolsMemoryBytes: measured.reduce((sum, machine) => sum + machine.poolsMemoryBytes, 0),
    }
  }

  dispose(): void {
    for (const { subscription } of this.#stores.values()) subscription.dispose()
    this.#stores.clear()
    this.#changed.dispose()
  }
}
