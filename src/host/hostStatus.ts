import type { RunningProgram } from '../protocol'
import type { PoolRegistry } from './pools/poolRegistry'

/**
 * Programs that a previous host watched and that no host watches now: a program that was attached to since, or whose
 * parent was, is watched again.
 * @param left Programs of previous hosts that still run.
 */
export function unwatchedPrograms(left: readonly RunningProgram[], pools: PoolRegistry): RunningProgram[] {
  const watched = new Set(pools.live().flatMap((pool) => pool.liveWorkers().map(({ pid }) => pid)))
  return left.filter(({ pid }) => !watched.has(pid))
}

/** Running programs that the host does not own: they run on when the host ends. */
export function programsThatRunOn(pools: PoolRegistry): RunningProgram[] {
  return pools.live().flatMap((pool) => {
    const { program, state, name } = pool.header()
    const pid = program?.pid
    return pool.owned || pid == null || state !== 'run' || !pool.liveWorkers().some((worker) => worker.pid === pid)
      ? []
      : [{ name, pid }]
  })
}
