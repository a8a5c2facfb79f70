import { type HostConnection } from '../discovery'
import type { PoolSnapshot, RunningProgram } from '../protocol'

/** Every pool as it is now. (Without a revision the host always answers in full.) */
export async function fetchPools(host: HostConnection): Promise<PoolSnapshot[]> {
  const snapshot = await host.request('unhang/snapshot', {})
  if (snapshot.kind !== 'full')
    throw new Error('The host answered a delta where the whole was asked for; this is a bug in Unhang.')
  return snapshot.pools
}

/** What runs in the workspace, as far as anybody knows. */
export interface Running {
  readonly pools: PoolSnapshot[]
  /** Programs that a host before this one watched, and nobody does now. */
  readonly unwatched: readonly RunningProgram[]
}

/** @param fetch How the pools are asked for. */
export async function fetchRunning(
  host: HostConnection,
  fetch: (host: HostConnection) => Promise<PoolSnapshot[]>,
): Promise<Running> {
  const pools = await fetch(host)
  return { pools, unwatched: (await host.request('unhang/hostStatus', {})).unwatched }
}
