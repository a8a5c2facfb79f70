import type { WorkerInfo } from './terms/types'

/** What is needed of a pool to list its workers and to end it. */
export interface RegisteredPool {
  readonly id: string
  readonly name: string
  readonly workers: readonly WorkerInfo[]
  terminate(options: { gracePeriodMs?: number; useSigkill?: boolean }): Promise<string[]>
}

/** Pools of this process that may still have processes, in the order they were made. */
const pools = new Set<RegisteredPool>()

/** Called by the pool itself. */
export function registerPool(pool: RegisteredPool): void {
  pools.add(pool)
}

/** Called by the pool itself once it has ended and nothing of it is left. */
export function forgetPool(pool: RegisteredPool): void {
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
