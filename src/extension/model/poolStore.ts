import { isDeepStrictEqual } from 'node:util'
import type { DeltaSnapshot, FullSnapshot, MachineSnapshot, PoolHeader, Snapshot, WorkerSnapshot } from '../../protocol'
import { Emitter, type Disposable } from '../lifecycle'

/** A pool as the views see it. */
export interface PoolRecord {
  readonly header: PoolHeader
  /** By name; names are never reused within a pool. */
  readonly workers: ReadonlyMap<string, WorkerSnapshot>
}

/** Its workers as one thinks of them: the process of a program is the program itself. */
export function workersOfPool({ header, workers }: PoolRecord): WorkerSnapshot[] {
  const all = [...workers.values()]
  return header.program?.pid == null ? all : all.filter((worker) => worker.pid !== header.program?.pid)
}

/** What a snapshot changed, no wider than it was, so that only those rows are drawn again. */
export interface StoreChange {
  /** Pools came or went. */
  readonly membership: boolean
  /** Pools whose header changed, or whose workers came, went or exited. */
  readonly pools: ReadonlySet<string>
  /** Workers that changed in place, by pool. */
  readonly workers: ReadonlyMap<string, ReadonlySet<string>>
  readonly machine: boolean
}

/**
 * The pools of one host, kept up to date by revision. Knows nothing of how it is drawn or where snapshots come from.
 * Apply whatever the host answers; when {@link PoolStore.apply} returns `gap`, ask for a full snapshot.
 */
export class PoolStore implements Disposable {
  readonly #pools = new Map<string, { header: PoolHeader; workers: Map<string, WorkerSnapshot> }>()
  readonly #changed = new Emitter<StoreChange>()
  #machine: MachineSnapshot | null = null
  #rev: number | undefined

  readonly onDidChange = this.#changed.event

  /** The revision of the last snapshot, undefined before the first one and after {@link PoolStore.clear}. */
  get rev(): number | undefined {
    return this.#rev
  }

  get machine(): MachineSnapshot | null {
    return this.#machine
  }

  /** Every pool, oldest first. */
  get pools(): PoolRecord[] {
    return [...this.#pools.values()]
  }

  pool(poolId: string): PoolRecord | undefined {
    return this.#pools.get(poolId)
  }

  worker(poolId: string, name: string): WorkerSnapshot | undefined {
    return this.#pools.get(poolId)?.workers.get(name)
  }

  /** Takes a snapshot in; `gap` when it is a delta from a revision we are not at, and then nothing was changed. */
  apply(snapshot: Snapshot): 'applied' | 'gap' {
    const change = new ChangeCollector()
    if (snapshot.kind === 'full') this.#applyFull(snapshot, change)
    else if (snapshot.since === this.#rev) this.#applyDelta(snapshot, change)
    else return 'gap'
    this.#applyMachine(snapshot.machine, change)
    this.#rev = snapshot.rev
    if (!change.empty) this.#changed.fire(change)
    return 'applied'
  }

  /** Forgets everything: the host is gone, so nothing we know is true any more. */
  clear(): void {
    this.#rev = undefined
    if (this.#pools.size === 0 && this.#machine === null) return
    this.#pools.clear()
    this.#machine = null
    this.#changed.fire({ membership: true, pools: new Set(), workers: new Map(), machine: true })
  }

  dispose(): void {
    this.#changed.dispose()
  }

  #applyFull(snapshot: FullSnapshot, change: ChangeCollector): void {
    const kept = new Set(snapshot.pools.map((pool) => pool.id))
    for (const id of [...this.#pools.keys()]) {
      if (!kept.has(id)) this.#removePool(id, change)
    }
    for (const { workers, ...header } of snapshot.pools) {
      this.#setHeader(header, change)
      const names = new Set(workers.map((worker) => worker.name))
      const gone = [...(this.#pools.get(header.id)?.workers.keys() ?? [])].filter((name) => !names.has(name))
      this.#setWorkers(header.id, workers, gone, change)
    }
  }

  #applyDelta(delta: DeltaSnapshot, change: ChangeCollector): void {
    for (const id of delta.removedPools) this.#removePool(id, change)
    for (const header of delta.pools) this.#setHeader(header, change)
    for (const { poolId, workers, removed } of delta.workers) this.#setWorkers(poolId, workers, removed, change)
  }

  #removePool(id: string, change: ChangeCollector): void {
    if (this.#pools.delete(id)) change.membership = true
  }

  #setHeader(header: PoolHeader, change: ChangeCollector): void {
    const pool = this.#pools.get(header.id)
    if (pool === undefined) {
      this.#pools.set(header.id, { header, workers: new Map() })
      change.membership = true
    } else if (!isDeepStrictEqual(pool.header, header)) {
      pool.header = header
      change.pools.add(header.id)
    }
  }

  #setWorkers(
    poolId: string,
    workers: readonly WorkerSnapshot[],
    removed: readonly string[],
    change: ChangeCollector,
  ): void {
    const pool = this.#pools.get(poolId)
    if (pool === undefined) return
    for (const name of removed) {
      if (pool.workers.delete(name)) change.pools.add(poolId)
    }
    for (const worker of workers) {
      const before = pool.workers.get(worker.name)
      if (before !== undefined && isDeepStrictEqual(before, worker)) continue
      pool.workers.set(worker.name, worker)
      // An exit moves the row to another group, so the pool's children are drawn again.
      const moved = before === undefined || (before.status === 'exited') !== (worker.status === 'exited')
      if (moved) change.pools.add(poolId)
      else change.worker(poolId, worker.name)
    }
  }

  #applyMachine(machine: MachineSnapshot | null, change: ChangeCollector): void {
    if (isDeepStrictEqual(this.#machine, machine)) return
    this.#machine = machine
    change.machine = true
  }
}

class ChangeCollector implements StoreChange {
  membership = false
  machine = false
  readonly pools = new Set<string>()
  readonly workers = new Map<string, Set<string>>()

  get empty(): boolean {
    return !this.membership && !this.machine && this.pools.size === 0 && this.workers.size === 0
  }

  worker(poolId: string, name: string): void {
    const names = this.workers.get(poolId)
    if (names === undefined) this.workers.set(poolId, new Set([name]))
    else names.add(name)
  }
}
