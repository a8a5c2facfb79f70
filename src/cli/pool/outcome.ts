import type { PoolSnapshot, ProgramSnapshot } from '../../protocol'
import { exitText, formatDuration, plainLine, succeeded, totalTasks } from '../../words'
import { countWords } from '../words/counts'

/** How a pool came out. */
export interface Outcome {
  /** Every task is done, or the program's exit code is 0; nothing else counts as success. */
  readonly ok: boolean
  readonly line: string
}

/** The last line of a pool's terminal, and whether its exit code is 0. */
export function poolOutcome(
  pool: Pick<PoolSnapshot, 'name' | 'counts' | 'failure' | 'program' | 'startedAt' | 'endedAt'>,
  now: number,
): Outcome {
  const after = formatDuration((pool.endedAt ?? now) - pool.startedAt)
  const ok = succeeded(pool)
  const name = plainLine(pool.name)
  if (pool.program !== null) return { ok, line: `${name}: ${programEnd(pool.program, pool.failure)} after ${after}` }
  if (pool.failure !== null) return { ok, line: `${name} failed after ${after}: ${plainLine(pool.failure)}` }
  if (ok) return { ok, line: `${name}: ${allTasks(totalTasks(pool.counts))} done in ${after}` }
  return {
    ok,
    line: `${name} ended after ${after} with tasks that are not done: ${countWords(pool.counts).join(', ')}`,
  }
}

function programEnd(program: ProgramSnapshot, failure: string | null): string {
  return exitText(program) ?? (failure === null ? 'ended' : plainLine(failure))
}

function allTasks(total: number): string {
  return total === 1 ? 'its one task' : `all ${total} tasks`
}
