import type { RescueAction } from './messages'
import type { PoolSnapshot, PoolVerdictSnapshot, RescueOptionSnapshot } from './snapshot'

/**
 * All verdicts of a pool in one shape: its own and those of its running tasks. Verdicts that something is stuck come
 * first; otherwise the order is kept, the gravest first.
 */
export function verdictsOf(pool: Pick<PoolSnapshot, 'verdicts' | 'workers'>): PoolVerdictSnapshot[] {
  const ofTasks = pool.workers.flatMap(({ name, pid, status, task }): PoolVerdictSnapshot[] =>
    task?.verdict && status !== 'exited'
      ? [{ ...task.verdict, stuck: task.stuck, worker: name, pid, task: task.id, rescue: [] }]
      : [],
  )
  const all = [
    ...pool.verdicts,
    ...ofTasks.filter((verdict) => !pool.verdicts.some((own) => own.code === verdict.code && own.pid === verdict.pid)),
  ]
  return [...all.filter((verdict) => verdict.stuck), ...all.filter((verdict) => !verdict.stuck)]
}

/** True when a verdict says that the pool, or a task in it, does not recover on its own. */
export function isStuck(pool: Pick<PoolSnapshot, 'verdicts' | 'counts'>): boolean {
  return stuckIn(pool) > 0
}

/**
 * Number of stuck workers and tasks of a pool. The count of a program includes its verdicts, that of other pools counts
 * running tasks.
 */
export function stuckIn(pool: Pick<PoolSnapshot, 'verdicts' | 'counts'>): number {
  return Math.max(pool.counts.stuck, stuckByVerdicts(pool.verdicts))
}

/** Number of stuck workers by verdicts; verdicts on the pool as a whole count as one where no worker has any. */
export function stuckByVerdicts(verdicts: readonly Pick<PoolVerdictSnapshot, 'stuck' | 'worker'>[]): number {
  const stuck = verdicts.filter((verdict) => verdict.stuck)
  return Math.max(new Set(stuck.flatMap(({ worker }) => worker ?? [])).size, stuck.length === 0 ? 0 : 1)
}

/** The remedies that a rescue could apply to a pool, each once, in the order of its verdicts. */
export function rescueOptionsOf(pool: Pick<PoolSnapshot, 'verdicts' | 'state'>): RescueOptionSnapshot[] {
  if (pool.state === 'ended') return []
  const options = new Map(
    pool.verdicts.flatMap((verdict) => verdict.rescue).map((option) => [rescueKey(option), option]),
  )
  return [...options.values()]
}

/** A key that is unique among the options of a pool. */
export function rescueKey(option: RescueOptionSnapshot): string {
  switch (option.kind) {
    case 'task':
      return `task ${option.task}`
    case 'lock':
      return `lock ${option.lock}`
    case 'continue':
      return `continue ${option.pid}`
  }
}

/** How a rescue settles a lost task: it fails, or it runs again. */
export type LostTaskChoice = 'fail' | 'retry'

/** The action for an option. */
export function rescueAction(option: RescueOptionSnapshot, choice: LostTaskChoice): RescueAction {
  switch (option.kind) {
    case 'task':
      return { kind: choice, task: option.task }
    case 'lock':
      return { kind: 'release', lock: option.lock }
    case 'continue':
      return { kind: 'continue', pid: option.pid }
  }
}

/** The pools inside a program, in the order they were made. */
export function poolsOfProgram<P extends Pick<PoolSnapshot, 'programId'>>(
  program: Pick<PoolSnapshot, 'id'>,
  pools: readonly P[],
): P[] {
  return pools.filter((pool) => pool.programId === program.id)
}

/** The program that a pool is, or is in; undefined for a pool of Unhang's own. */
export function programOf<P extends Pick<PoolSnapshot, 'id' | 'program' | 'programId'>>(
  pool: P,
  pools: readonly P[],
): P | undefined {
  if (pool.program !== null) return pool
  return pool.programId === null ? undefined : pools.find((other) => other.id === pool.programId)
}
