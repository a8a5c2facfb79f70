import type { PoolSnapshot, RunningProgram, ShutdownTargetParams } from '../../protocol'
import { plainLine } from '../../words'
import { TargetError } from '../errors'
import { plural } from '../words/plural'
import { leftLines } from '../words/unwatched'

/** What POOL|PID on the command line means. */
export type ResolvedTarget =
  | { readonly kind: 'found'; readonly target: ShutdownTargetParams; readonly description: string }
  /** A pool that is over: nothing to do, which is what was wanted. */
  | { readonly kind: 'ended'; readonly description: string }

interface Candidate {
  readonly target: ShutdownTargetParams
  readonly description: string
  /** What to type to mean this one and no other. */
  readonly unambiguous: string
}

const pidPrefix = 'pid:'

/**
 * Finds the pool (by id or name), the program or the worker (by pid) that `text` names. `pid:4711` is a pid in any
 * case.
 * @throws {@link TargetError} when nothing has that name, or more than one thing.
 */
export function resolveTarget(
  text: string,
  pools: readonly PoolSnapshot[],
  unwatched: readonly RunningProgram[] = [],
): ResolvedTarget {
  const live = pools.filter((pool) => pool.state !== 'ended')
  const byId = pools.find((pool) => pool.id === text)
  if (byId?.state === 'ended') return ended(byId)
  const found =
    byId === undefined
      ? [...live.filter((pool) => pool.name === text).map(poolCandidate), ...processesWithPid(text, live)]
      : [poolCandidate(byId)]
  const [first, ...others] = found
  if (first === undefined) {
    const over = pools.filter((pool) => pool.name === text).at(-1)
    if (over !== undefined) return ended(over)
    throw nothingCalled(text, live, unwatched)
  }
  if (others.length > 0) {
    throw new TargetError(
      `${text} could mean ${found.length} things; say which one`,
      found.map((one) => `${one.unambiguous}  ${one.description}`),
    )
  }
  return { kind: 'found', target: first.target, description: first.description }
}

/**
 * The error for a name that nothing has, with what it could have been, or that of a program that nobody watches any
 * more.
 */
export function nothingCalled(
  text: string,
  live: readonly PoolSnapshot[],
  unwatched: readonly RunningProgram[] = [],
): TargetError {
  const [left, ...others] = leftLines(unwatched.filter(({ name, pid }) => name === text || pid === pidIn(text)))
  if (left !== undefined) return new TargetError(left, others)
  return new TargetError(
    `nothing here is called ${text}: it is no pool's id or name, and no worker's pid`,
    whatExists(live),
  )
}

function ended(pool: PoolSnapshot): ResolvedTarget {
  return { kind: 'ended', description: `${plainLine(pool.name)} (${pool.id}) has already ended` }
}

function poolCandidate(pool: PoolSnapshot): Candidate {
  return { target: { kind: 'pool', poolId: pool.id }, description: describePool(pool), unambiguous: pool.id }
}

function describePool(pool: PoolSnapshot): string {
  if (pool.program !== null)
    return `program ${plainLine(pool.name)} (${pool.id}${pool.program.pid === null ? '' : `, pid ${pool.program.pid}`})`
  return (
    `pool ${plainLine(pool.name)} (${pool.id}, ` +
    `${plural(pool.workers.filter((worker) => worker.status !== 'exited').length, 'worker')})`
  )
}

/** The pid that `text` is, with or without `pid:`; undefined when it is none. */
export function pidIn(text: string): number | undefined {
  const digits = text.startsWith(pidPrefix) ? text.slice(pidPrefix.length) : text
  return /^[1-9]\d*$/.test(digits) ? Number(digits) : undefined
}

/**
 * Who attached to a shell finds below it what is watched, too: one process, and whoever watches it knows more of it. A
 * program's own process is the program.
 */
function processesWithPid(text: string, pools: readonly PoolSnapshot[]): Candidate[] {
  const programs = programsWithPid(text, pools)
  if (programs.length > 0) return programs
  const watching = workersWithPid(
    text,
    pools.filter(({ kind }) => kind !== 'attached'),
  )
  return watching.length > 0 ? watching : workersWithPid(text, pools)
}

/** A program has a pid of its own; ending it ends its pools. */
function programsWithPid(text: string, pools: readonly PoolSnapshot[]): Candidate[] {
  const pid = pidIn(text)
  return pid === undefined
    ? []
    : pools
        .filter((pool) => pool.program?.pid === pid)
        .map((pool) => ({ ...poolCandidate(pool), unambiguous: pool.id }))
}

function workersWithPid(text: string, pools: readonly PoolSnapshot[]): Candidate[] {
  const pid = pidIn(text)
  if (pid === undefined) return []
  return pools.flatMap((pool) =>
    pool.workers
      // A program's own process is the program.
      .filter((worker) => worker.pid === pid && worker.status !== 'exited' && pool.program?.pid !== pid)
      .map((worker): Candidate => ({
        target: { kind: 'worker', poolId: pool.id, pid },
        description: `worker ${worker.name} of ${plainLine(pool.name)} (${pool.id})`,
        unambiguous: `${pidPrefix}${pid}`,
      })),
  )
}

/** For somebody who mistyped: what could have been meant. */
function whatExists(pools: readonly PoolSnapshot[]): string[] {
  if (pools.length === 0) return ['No pool runs in this workspace.']
  return [
    'What runs here:',
    ...pools.flatMap((pool) => [
      `${pool.id}  ${plainLine(pool.name)}${pool.program?.pid == null ? '' : ` (pid ${pool.program.pid})`}`,
      ...pool.workers
        .filter((worker) => worker.status !== 'exited' && worker.pid > 0)
        .map((worker) => `  ${worker.pid}  ${worker.name}${worker.task ? ` in ${plainLine(worker.task.label)}` : ''}`),
    ]),
  ]
}
