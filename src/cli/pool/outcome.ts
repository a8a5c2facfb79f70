import type { PoolSnapshot } from '../../protocol'
import { plainLine } from '../output/plainText'
import { countWords, totalTasks } from '../words/counts'
import { formatDuration } from '../words/quantities'

/** How a pool came out. */
export interface Outcome {
  /** Every task is done; nothing else counts as success. */
  readonly ok: boolean
  readonly line: string
}

/** The last line of a pool's terminal, and whether its exit code is 0. */
export function poolOutcome(pool: Pick<PoolSnapshot, 'name' | 'counts' | 'failure' | 'startedAt' | 'endedAt'>, now: number): Outcome {
  const after = formatDuration((pool.endedAt ?? now) - pool.startedAt)
  const ok = pool.failure === null && pool.counts.done === totalTasks(pool.counts)
  const name = plainLine(pool.name)
  if (pool.failure !== null) return { ok, line: `${name} failed after ${after}: ${plainLine(pool.failure)}` }
  if (ok) return { ok, line: `${name}: ${allTasks(totalTasks(pool.counts))} done in ${after}` }
  return { ok, line: `${name} ended after ${after} with tasks that are not done: ${countWords(pool.counts).join(', ')}` }
}

function allTasks(total: number): string {
  return total === 1 ? 'its one task' : `all ${total} tasks`
}
