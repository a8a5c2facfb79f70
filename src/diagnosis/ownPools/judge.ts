import type { RunningTaskFacts } from './facts'
import type { Verdict, VerdictCode } from '../verdict'
import { noProgress } from './noProgress'
import { sigtermIgnored } from './sigtermIgnored'
import { slow } from './slow'
import { stopped } from './stopped'
import { uninterruptible } from './uninterruptible'
import { zombie } from './zombie'

/** A verdict that says the task will not finish by itself; the others only explain. */
const stuckCodes: ReadonlySet<VerdictCode> = new Set<VerdictCode>([
  'stopped',
  'uninterruptible',
  'zombie',
  'no-progress',
])

/** The first rule that holds wins: a state of the process explains more than the lack of progress it causes. */
const rules = [zombie, stopped, uninterruptible, noProgress, sigtermIgnored, slow]

/** What a running task's facts amount to: a verdict or none, and whether it counts as stuck. */
export function judgeRunningTask(facts: RunningTaskFacts): {
  readonly verdict: Verdict | null
  readonly stuck: boolean
} {
  for (const rule of rules) {
    const verdict = rule(facts)
    // Whatever is wrong with the process, nobody wants to hear of it before the threshold they set.
    if (verdict !== undefined)
      return { verdict, stuck: stuckCodes.has(verdict.code) && facts.ageMs >= facts.stuckAfterMs }
  }
  return { verdict: null, stuck: false }
}
