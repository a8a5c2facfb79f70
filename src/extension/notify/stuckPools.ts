import type { PoolVerdictSnapshot } from '../../protocol'
import type { PoolRecord } from '../model/poolStore'
import { NewsMemory } from './newsMemory'

/** Something that a pool waits for in vain. */
export interface StuckPool {
  readonly poolId: string
  readonly verdict: PoolVerdictSnapshot
}

/** Each thing that a pool is stuck on is announced once. */
export function stuckPoolMemory(): NewsMemory<StuckPool> {
  return new NewsMemory(({ poolId }) => poolId, verdictKey)
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
