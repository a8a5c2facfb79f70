import { GetSnapshot, type HostConnection, type PoolSnapshot } from '../protocol'

/** Every pool as it is now. (Without a revision the host always answers in full.) */
export async function fetchPools(host: HostConnection): Promise<PoolSnapshot[]> {
  const snapshot = await host.request(GetSnapshot.method, {})
  if (snapshot.kind !== 'full') throw new Error('The host answered a delta where the whole was asked for; this is a bug in Unhang.')
  return snapshot.pools
}
