import type { Verdict, VerdictCode } from '../verdict'
import type { RunningTaskFacts } from './facts'
import { noProgress } from './noProgress'
import { sigtermIgnored } from './sigtermIgnored'
import { slow } from './slow'
import { stopped } from './stopped'
import { uninterruptible } from './uninterruptible'
import { zombie } from './zombie'

/** With these verdicts the task does not finish on its own; the others only explain. */
const stuckCodes: ReadonlySet<VerdictCode> = new Set<VerdictCode>([
  'stopped',
  'uninterruptible',
  'zombie',
  'no-progress',
])

/** The first rule that holds wins: the state of a process explains more than the lack of progress that it causes. */
const rules = [zombie, stopped, uninterruptible, noProgress, sigtermIgnored, slow]

/** The verdict on a running task, or none, and whether the task counts as stuck. */
export function judgeRunningTask(facts: RunningTaskFacts): {
  readonly verdict: Verdict | null
  readonly stuck: boolean
} {
  for (const rule of rules) {
    const verdict = rule(facts)
    // Before the threshold that the user has set, a verdict is information only.
    if (verdict !== undefined)
      return { verdict, stuck: stuckCodes.has(verdict.code) && facts.ageMs >= facts.stuckAfterMs }
  }
  return { verdict: null, stuck: false }
}
