import type { PoolVerdictSnapshot } from '../../protocol'
import type { PoolRecord } from '../model/poolStore'

/** Something that a pool waits for in vain. */
export interface StuckPool {
  readonly poolId: string
  readonly verdict: PoolVerdictSnapshot
}

/**
 * Remembers what pools are stuck on, so that each thing is announced once. What is already so when a host is first seen is taken as
 * known, as with stuck tasks.
 */
export class VerdictMemory {
  readonly #known = new Set<string>()

  /** What is stuck now and was not before. */
  update(pools: readonly PoolRecord[], firstLook: boolean): StuckPool[] {
    const now = new Map(pools.flatMap((pool) => stuckOn(pool).map((stuck) => [verdictKey(stuck), stuck] as const)))
    const fresh = [...now].filter(([key]) => !this.#known.has(key)).map(([, stuck]) => stuck)
    const here = new Set(pools.map(({ header }) => header.id))
    // A pool that is gone for a moment (its host reconnects) keeps its memory.
    for (const key of this.#known) if (here.has(key.slice(0, key.indexOf(' '))) && !now.has(key)) this.#known.delete(key)
    for (const key of now.keys()) this.#known.add(key)
    return firstLook ? [] : fresh
  }
}

/** What a pool is stuck on now; nothing once it has ended, and of what a dead host left behind nobody knows. */
export function stuckOn({ header }: PoolRecord): StuckPool[] {
  if (header.state === 'ended' || header.orphaned) return []
  return header.verdicts.filter((verdict) => verdict.stuck).map((verdict) => ({ poolId: header.id, verdict }))
}

/** What tells two of them apart. */
export function verdictKey({ poolId, verdict: { code, pid, task } }: StuckPool): string {
  return `${poolId} ${code} ${String(pid)} ${String(task)}`
}
