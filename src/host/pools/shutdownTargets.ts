import { errorCodes, type ShutdownTargetParams } from '../../protocol'
import type { ShutdownPlan, ShutdownReport } from '../../shutdown'
import { RequestError } from '../terms/requestError'
import type { HostedPool, ShutdownOrder } from './hostedPool'
import type { PoolRegistry } from './poolRegistry'

/** Pools that are to end as a whole, and single workers of others. */
interface Targets {
  readonly pools: Set<HostedPool>
  readonly workers: Map<HostedPool, Set<number>>
  readonly queued: { readonly pool: HostedPool; readonly taskId: string }[]
}

/**
 * Ends what a client named, all at once: every pool and worker goes through the shutdown core of its pool, each only
 * once, however often it was named.
 * @throws {@link RequestError} before anything is ended when a target does not exist.
 */
export async function shutDownTargets(
  targets: readonly ShutdownTargetParams[],
  registry: PoolRegistry,
  order: ShutdownOrder,
): Promise<ShutdownReport[]> {
  const { pools, workers, queued } = resolveAll(targets, registry)
  const ended = [
    ...[...pools].map((pool) => pool.shutdown(order)),
    ...workers.map(({ pool, pid }) => pool.shutdownWorker(pid, order)),
  ]
  const cancelled = queued.map(({ pool, taskId }) => pool.cancelTask(taskId, order))
  const [reports] = await Promise.all([Promise.all(ended), Promise.all(cancelled)])
  return reports
}

/**
 * The plan of {@link shutDownTargets} for each pool and worker. Queued tasks have no process, and no plan.
 * @throws {@link RequestError} when a target does not exist.
 */
export async function planTargets(
  targets: readonly ShutdownTargetParams[],
  registry: PoolRegistry,
  order: ShutdownOrder,
): Promise<ShutdownPlan[]> {
  const { pools, workers } = resolveAll(targets, registry)
  return Promise.all([
    ...[...pools].map((pool) => pool.plan(order)),
    ...workers.map(({ pool, pid }) => pool.planWorker(pid, order)),
  ])
}

/** Each pool, worker and waiting task once; none that is part of a pool that ends as a whole. */
function resolveAll(targets: readonly ShutdownTargetParams[], registry: PoolRegistry) {
  const resolved: Targets = { pools: new Set(), workers: new Map(), queued: [] }
  for (const target of targets) resolve(target, registry, resolved)
  const { pools } = resolved
  return {
    pools,
    workers: [...resolved.workers]
      .filter(([pool]) => !pools.has(pool))
      .flatMap(([pool, pids]) => [...pids].map((pid) => ({ pool, pid }))),
    queued: resolved.queued.filter(({ pool }) => !pools.has(pool)),
  }
}

function resolve(target: ShutdownTargetParams, registry: PoolRegistry, targets: Targets): void {
  switch (target.kind) {
    case 'pool':
      targets.pools.add(registry.get(target.poolId))
      return
    case 'worker': {
      const pool = registry.get(target.poolId)
      if (!pool.liveWorkers().some(({ pid }) => pid === target.pid)) {
        throw new RequestError(
          errorCodes.notFound,
          `The pool ${pool.name} has no live worker with pid ${target.pid}. It has ended already, or was replaced.`,
        )
      }
      addWorker(targets, pool, target.pid)
      return
    }
    case 'task': {
      const pool = registry.get(target.poolId)
      const worker = pool.liveWorkers().find(({ taskId }) => taskId === target.taskId)
      if (worker) addWorker(targets, pool, worker.pid)
      else targets.queued.push({ pool, taskId: target.taskId })
      return
    }
    case 'stuck':
      for (const pool of registry.live())
        for (const { pid, stuck } of pool.liveWorkers()) if (stuck) addWorker(targets, pool, pid)
      return
    case 'orphans':
      for (const pool of registry.live()) if (pool.orphaned) targets.pools.add(pool)
      return
    case 'all':
      for (const pool of registry.live()) targets.pools.add(pool)
      return
  }
}

function addWorker({ workers }: Targets, pool: HostedPool, pid: number): void {
  const pids = workers.get(pool)
  if (pids) pids.add(pid)
  else workers.set(pool, new Set([pid]))
}
