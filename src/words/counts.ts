import type { CountsSnapshot, PoolSnapshot } from '../protocol'

/** All tasks of a pool. `stuck` is a flag on running tasks, so it does not count. */
export function totalTasks(counts: CountsSnapshot): number {
  return counts.queued + counts.running + finishedTasks(counts)
}

/** Tasks that are over, successful or not. */
export function finishedTasks(counts: CountsSnapshot): number {
  return counts.done + unsuccessfulTasks(counts)
}

/** Tasks that are over without success. */
export function unsuccessfulTasks(counts: CountsSnapshot): number {
  return counts.failed + counts.lost + counts.timedOut + counts.cancelled
}

/** Whether every task of a pool is done; of a program: whether its exit code is 0. Nothing else is a success. */
export function succeeded({ counts, failure, program }: Pick<PoolSnapshot, 'counts' | 'failure' | 'program'>): boolean {
  return failure === null && (program === null ? counts.done === totalTasks(counts) : program.exitCode === 0)
}
