import type { PoolSnapshot, ProgramSnapshot } from '../../protocol'
import { plainLine } from '../output/plainText'
import { countWords, totalTasks } from '../words/counts'
import { formatExit } from '../words/exit'
import { formatDuration } from '../words/quantities'

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
  if (pool.program !== null) return programOutcome(plainLine(pool.name), pool.program, pool.failure, after)
  const ok = pool.failure === null && pool.counts.done === totalTasks(pool.counts)
  const name = plainLine(pool.name)
  if (pool.failure !== null) return { ok, line: `${name} failed after ${after}: ${plainLine(pool.failure)}` }
  if (ok) return { ok, line: `${name}: ${allTasks(totalTasks(pool.counts))} done in ${after}` }
  return {
    ok,
    line: `${name} ended after ${after} with tasks that are not done: ${countWords(pool.counts).join(', ')}`,
  }
}

function programOutcome(name: string, program: ProgramSnapshot, failure: string | null, after: string): Outcome {
  const exit = formatExit(program)
  const ok = program.exitCode === 0 && failure === null
  return { ok, line: `${name}: ${exit ?? (failure === null ? 'ended' : plainLine(failure))} after ${after}` }
}

function allTasks(total: number): string {
  return total === 1 ? 'its one task' : `all ${total} tasks`
}
