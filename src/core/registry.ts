import type { Pool } from './pool'
import type { WorkerInfo } from './terms/types'

/** Pools of this process that may still have processes, in the order they were made. */
const pools = new Set<Pool>()

/** Called by the pool itself. */
export function registerPool(pool: Pool): void {
  pools.add(pool)
}

/** Called by the pool itself once it has ended and nothing of it is left. */
export function forgetPool(pool: Pool): void {
  pools.delete(pool)
}

/** A live worker and the pool it belongs to. */
export interface ActiveChild extends WorkerInfo {
  readonly poolId: string
  readonly poolName: string
}

/** The live workers of every pool of this process (CPython's active_children()). */
export function activeChildren(): ActiveChild[] {
  return [...pools].flatMap((pool) =>
    pool.workers.map((worker) => ({ ...worker, poolId: pool.id, poolName: pool.name })),
  )
}

/**
 * Ends every pool of this process, all at once, and returns the issues: one line for each process that could not be
 * ended (Keras' terminate_keras_multiprocessing_pools). Empty when everything is gone. Calling it again is safe, and
 * still sees survivors.
 */
export async function terminatePools(
  options: { gracePeriodMs?: number; useSigkill?: boolean } = {},
): Promise<string[]> {
  const issues = await Promise.all([...pools].map((pool) => pool.terminate(options)))
  return issues.flat()
}
