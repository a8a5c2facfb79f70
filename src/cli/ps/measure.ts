import { setTimeout as sleep } from 'node:timers/promises'
import { type HostConnection } from '../../discovery'
import type { PoolSnapshot } from '../../protocol'
import { fetchPools } from '../snapshots'

/** The shortest interval that the host accepts: CPU use needs two looks, and a person waits for them. */
const intervalMs = 200
const lookEveryMs = 50
/** Enough for several samples on a loaded machine; what is not measured by then is left empty. */
const giveUpAfterMs = 1500

/**
 * The pools with CPU and memory of their workers: nothing is sampled unless somebody looks, so the first sample takes a
 * moment.
 */
export async function measuredPools(host: HostConnection): Promise<PoolSnapshot[]> {
  const deadline = performance.now() + giveUpAfterMs
  let pools = await fetchPools(host)
  if (isMeasured(pools)) return pools
  await host.request('unhang/watch', { workers: true, machine: false, intervalMs })
  while (!isMeasured(pools) && performance.now() < deadline) {
    await sleep(lookEveryMs)
    pools = await fetchPools(host)
  }
  return pools
}

function isMeasured(pools: readonly PoolSnapshot[]): boolean {
  return pools.every((pool) =>
    pool.workers.every((worker) => worker.status === 'exited' || worker.pid <= 0 || worker.cpuPercent !== null),
  )
}
