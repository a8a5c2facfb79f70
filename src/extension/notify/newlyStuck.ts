import type { PlacedWorker } from '../model/poolCatalog'

/** A task that got stuck, with where it is. */
export interface StuckTask {
  readonly placed: PlacedWorker
  readonly taskId: string
  readonly label: string
}

/**
 * Remembers which tasks are stuck, so that each is announced once. What is already stuck when a host is first seen is
 * taken as known: somebody was told when it happened, and the badge shows it.
 */
export class StuckMemory {
  readonly #known = new Set<string>()

  /** Tasks that are stuck now and were not before. `stuck` is every stuck worker, `poolIds` every pool that is known now. */
  update(stuck: readonly PlacedWorker[], poolIds: ReadonlySet<string>, firstLook: boolean): StuckTask[] {
    const now = new Map<string, StuckTask>()
    for (const placed of stuck) {
      const { task } = placed.worker
      if (task !== null) now.set(`${placed.pool.header.id}/${task.id}`, { placed, taskId: task.id, label: task.label })
    }
    // What a dead host left behind is told as such; nobody knows when its tasks got stuck.
    const fresh = [...now].filter(([key, { placed }]) => !this.#known.has(key) && !placed.pool.header.orphaned).map(([, task]) => task)
    // A pool that is gone for a moment (its host reconnects) keeps its memory, one that stays is brought up to date.
    for (const key of this.#known) {
      if (poolIds.has(key.slice(0, key.indexOf('/'))) && !now.has(key)) this.#known.delete(key)
    }
    for (const key of now.keys()) this.#known.add(key)
    return firstLook ? [] : fresh
  }
}
