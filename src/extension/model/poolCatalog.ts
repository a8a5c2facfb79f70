import {
  type MachineSnapshot,
  type PoolVerdictSnapshot,
  type WorkerSnapshot,
  isStuck,
  rescueOptionsOf,
  stuckIn,
} from '../../protocol'
import { Emitter, type Disposable } from '../lifecycle'
import { workersOfPool, type PoolRecord, type PoolStore, type StoreChange } from './poolStore'

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
    this.#stores.set(store, {
      folder,
      subscription: store.onDidChange((change) => {
        this.#changed.fire(change)
      }),
    })
    return {
      dispose: () => {
        this.#stores.get(store)?.subscription.dispose()
        if (this.#stores.delete(store))
          this.#changed.fire({ membership: true, pools: new Set(), workers: new Map(), machine: true })
      },
    }
  }

  /** Newest first: what was launched last is what one looks for. */
  get pools(): PoolRecord[] {
    return [...this.#stores.keys()]
      .flatMap((store) => store.pools)
      .sort((a, b) => b.header.startedAt - a.header.startedAt)
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
    return this.pools.flatMap((pool) =>
      workersOfPool(pool)
        .filter((worker) => worker.status !== 'exited')
        .map((worker) => ({ pool, worker })),
    )
  }

  get stuckWorkers(): PlacedWorker[] {
    return this.liveWorkers.filter(({ worker }) => worker.task?.stuck === true)
  }

  /**
   * What is stuck by the hosts' own count, which also knows workers that are not listed, and what a program waits for
   * in vain.
   */
  get stuckCount(): number {
    return this.livePools.reduce((sum, { header }) => sum + stuckIn(header), 0)
  }

  /** Live pools with a lost task, a dead lock holder or a stopped worker that a rescue could do something about. */
  get rescuablePools(): PoolRecord[] {
    return this.livePools.filter(({ header }) => rescueOptionsOf(header).length > 0)
  }

  /** The pools in a program, newest first. */
  poolsOf(programId: string): PoolRecord[] {
    return this.pools.filter(({ header }) => header.programId === programId)
  }

  /**
   * The program that a pool is, or is in; undefined for a pool of Unhang's own, and for one whose program is not known
   * (any more).
   */
  programOf({ header }: PoolRecord): PoolRecord | undefined {
    if (header.program !== null) return this.pool(header.id)
    return header.programId === null ? undefined : this.pool(header.programId)
  }

  /** Live pools as one counts them: a program stands for itself only as long as it has made none. */
  get countedPools(): PoolRecord[] {
    const live = this.livePools
    return live.filter(
      ({ header }) => header.program === null || !live.some((other) => other.header.programId === header.id),
    )
  }

  /** True when a pool, or one in it, is not going to go on by itself. */
  isStuck(pool: PoolRecord): boolean {
    return [pool, ...this.poolsOf(pool.header.id)].some(({ header }) => header.state !== 'ended' && isStuck(header))
  }

  /** What a pool's own verdicts say of one worker. */
  verdictOn(poolId: string, worker: Pick<WorkerSnapshot, 'name' | 'pid'>): PoolVerdictSnapshot | undefined {
    return this.pool(poolId)?.header.verdicts.find(
      (verdict) => verdict.worker === worker.name && verdict.pid === worker.pid,
    )
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
