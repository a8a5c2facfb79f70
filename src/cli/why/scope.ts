import { poolsOfProgram, type PoolSnapshot, type RunningProgram } from '../../protocol'
import { nothingCalled, pidIn } from '../ending/targets'

/**
 * The pools that `unhang why` speaks of: all that live, or those that POOL|PID names. A program stands for the pools in
 * it, and a pid for the pool where it works or worked: the verdict on a worker outlives it.
 * @throws TargetError when nothing has that name, or nobody watches it any more.
 */
export function poolsAsked(
  text: string | undefined,
  pools: readonly PoolSnapshot[],
  unwatched: readonly RunningProgram[] = [],
): PoolSnapshot[] {
  const live = pools.filter((pool) => pool.state !== 'ended')
  if (text === undefined) return live
  const named = firstNonEmpty(
    pools.filter((pool) => pool.id === text),
    live.filter((pool) => pool.name === text),
    live.filter((pool) => holdsPid(pool, pidIn(text))),
    pools.filter((pool) => pool.name === text).slice(-1),
  )
  if (named.length === 0) throw nothingCalled(text, live, unwatched)
  return [...new Set(named.flatMap((pool) => [pool, ...poolsOfProgram(pool, pools)]))]
}

function firstNonEmpty<T>(...lists: (readonly T[])[]): readonly T[] {
  return lists.find((list) => list.length > 0) ?? []
}

function holdsPid(pool: PoolSnapshot, pid: number | undefined): boolean {
  return (
    pid !== undefined &&
    (pool.program?.pid === pid ||
      pool.workers.some((worker) => worker.pid === pid) ||
      pool.verdicts.some((verdict) => verdict.pid === pid))
  )
}
