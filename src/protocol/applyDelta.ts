import type { DeltaSnapshot, FullSnapshot, PoolSnapshot, Snapshot } from './snapshot'

/**
 * The state after a fetch: a full snapshot replaces what was there, a delta changes it. The parts that did not change
 * are the same objects as before, so a view can compare them by reference.
 * @returns undefined when the delta does not follow on `state`: fetch again without `since`.
 */
export function applySnapshot(state: FullSnapshot | undefined, fetched: Snapshot): FullSnapshot | undefined {
  if (fetched.kind === 'full') return fetched
  if (state?.rev !== fetched.since) return undefined
  return { kind: 'full', rev: fetched.rev, machine: fetched.machine, pools: poolsAfter(state.pools, fetched) }
}

function poolsAfter(before: readonly PoolSnapshot[], delta: DeltaSnapshot): PoolSnapshot[] {
  const removed = new Set(delta.removedPools)
  const headers = new Map(delta.pools.map((header) => [header.id, header]))
  const workers = new Map(delta.workers.map((change) => [change.poolId, change]))
  const known = new Set(before.map((pool) => pool.id))
  const added = delta.pools.filter((header) => !known.has(header.id)).map((header) => ({ ...header, workers: [] }))
  return [...before.filter((pool) => !removed.has(pool.id)), ...added].map((pool) => {
    const header = headers.get(pool.id)
    const change = workers.get(pool.id)
    if (!header && !change) return pool
    return { ...pool, ...header, workers: change ? workersAfter(pool.workers, change) : pool.workers }
  })
}

function workersAfter(
  before: PoolSnapshot['workers'],
  change: DeltaSnapshot['workers'][number],
): PoolSnapshot['workers'] {
  const after = new Map(before.map((worker) => [worker.name, worker]))
  for (const name of change.removed) after.delete(name)
  for (const worker of change.workers) after.set(worker.name, worker)
  return [...after.values()]
}
