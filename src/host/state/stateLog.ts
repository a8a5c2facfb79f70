import type { DeltaSnapshot, MachineSnapshot, PoolHeader, Snapshot, WorkerSnapshot } from '../../protocol'

/** A pool as the state log draws it: always the present state. */
export interface StateSource {
  readonly id: string
  header(): PoolHeader
  /** Names of the listed workers, in the order they started. */
  workerNames(): Iterable<string>
  worker(name: string): WorkerSnapshot | undefined
}

/** The changes of one pool, as it reports them. */
export interface PoolChanges {
  headerChanged(): void
  workerChanged(name: string): void
  workerRemoved(name: string): void
}

interface Tracked {
  readonly source: StateSource
  readonly added: number
  header: number
  readonly workers: Map<string, { readonly added: number; changed: number }>
  /** Workers no longer listed, oldest first. */
  readonly removed: { readonly name: string; readonly added: number; readonly removed: number }[]
  /** A client with an older revision gets a full snapshot. */
  floor: number
}

/** Removals that are remembered for each list; a client that missed more gets a full snapshot. */
const rememberedRemovals = 1000

/**
 * Which part of the state changed at which revision. It keeps numbers only: the state of a pool is read when a client
 * fetches, so ten thousand changes between two fetches cost ten thousand small writes and one snapshot.
 *
 * Revisions start at the clock, so that a revision of an earlier host is never taken for one of this host.
 */
export class StateLog {
  readonly #changed: () => void

  readonly #tracked = new Map<string, Tracked>()
  readonly #removedPools: { readonly id: string; readonly added: number; readonly removed: number }[] = []
  readonly #base: number
  #floor: number
  #revision: number
  #open = false
  #machineSnapshot: MachineSnapshot | null = null

  /** @param changed Called for every change; cheap, and often. */
  constructor(changed: () => void, now: number = Date.now()) {
    this.#changed = changed

    // Microseconds: more revisions than a host can use before the next one starts, and exact in a double until 2255.
    this.#revision = this.#base = this.#floor = now * 1000
  }

  /** The revision of the present state. */
  get rev(): number {
    if (this.#open) {
      this.#revision += 1
      this.#open = false
    }
    return this.#revision
  }

  addPool(source: StateSource): void {
    const rev = this.#touch()
    this.#tracked.set(source.id, {
      source,
      added: rev,
      header: rev,
      workers: new Map(),
      removed: [],
      floor: this.#base,
    })
  }

  removePool(id: string): void {
    const tracked = this.#tracked.get(id)
    if (!tracked) return
    this.#tracked.delete(id)
    this.#removedPools.push({ id, added: tracked.added, removed: this.#touch() })
    if (this.#removedPools.length > rememberedRemovals) this.#floor = this.#removedPools.shift()?.removed ?? this.#floor
  }

  /** The part of this log for one pool, for a pool to report its changes to. */
  changesOf(id: string): PoolChanges {
    return {
      headerChanged: () => {
        this.headerChanged(id)
      },
      workerChanged: (name) => {
        this.workerChanged(id, name)
      },
      workerRemoved: (name) => {
        this.workerRemoved(id, name)
      },
    }
  }

  headerChanged(id: string): void {
    const tracked = this.#tracked.get(id)
    if (tracked) tracked.header = this.#touch()
  }

  workerChanged(id: string, name: string): void {
    const workers = this.#tracked.get(id)?.workers
    if (!workers) return
    const rev = this.#touch()
    const worker = workers.get(name)
    if (worker) worker.changed = rev
    else workers.set(name, { added: rev, changed: rev })
  }

  workerRemoved(id: string, name: string): void {
    const tracked = this.#tracked.get(id)
    const worker = tracked?.workers.get(name)
    if (!tracked || !worker) return
    tracked.workers.delete(name)
    tracked.removed.push({ name, added: worker.added, removed: this.#touch() })
    if (tracked.removed.length > rememberedRemovals) tracked.floor = tracked.removed.shift()?.removed ?? tracked.floor
  }

  setMachine(machine: MachineSnapshot | null): void {
    if (machine === null && this.#machineSnapshot === null) return
    this.#machineSnapshot = machine
    this.#touch()
  }

  /** The changes after `since`, or everything when that revision is no longer known. */
  snapshot(since?: number): Snapshot {
    const rev = this.rev
    if (since !== undefined && this.#knows(since, rev)) return this.#delta(since, rev)
    const pools = [...this.#tracked.values()].map(({ source }) => ({
      ...source.header(),
      workers: [...source.workerNames()].flatMap((name) => source.worker(name) ?? []),
    }))
    return { kind: 'full', rev, pools, machine: this.#machineSnapshot }
  }

  #knows(since: number, rev: number): boolean {
    if (since > rev || since < this.#floor) return false
    for (const tracked of this.#tracked.values()) {
      if (since < tracked.floor && tracked.added <= since) return false
    }
    return true
  }

  #delta(since: number, rev: number): DeltaSnapshot {
    const pools: PoolHeader[] = []
    const workers: DeltaSnapshot['workers'] = []
    for (const tracked of this.#tracked.values()) {
      const { source } = tracked
      if (tracked.header > since) pools.push(source.header())
      const changed: WorkerSnapshot[] = []
      for (const [name, worker] of tracked.workers) {
        const drawn = worker.changed > since ? source.worker(name) : undefined
        if (drawn) changed.push(drawn)
      }
      // A worker that started and left the list in between is unknown to the client.
      const removed = tracked.removed
        .filter((gone) => gone.removed > since && gone.added <= since)
        .map((gone) => gone.name)
      if (changed.length > 0 || removed.length > 0) workers.push({ poolId: source.id, workers: changed, removed })
    }
    const removedPools = this.#removedPools
      .filter((gone) => gone.removed > since && gone.added <= since)
      .map((gone) => gone.id)
    return { kind: 'delta', since, rev, pools, workers, removedPools, machine: this.#machineSnapshot }
  }

  /** All changes between two reads of the revision share one: no client can tell them apart. */
  #touch(): number {
    this.#open = true
    this.#changed()
    return this.#revision + 1
  }
}
