import type { RunningTaskFacts } from './facts'
import type { Verdict } from '../verdict'
import { isQuiet } from './noProgress'

/** A busy disk puts a healthy process in state D for moments; only one that is always seen there waits for a device. */
export const looksInStateD = 3

/**
 * State D in several looks in a row, and nothing moved meanwhile: waiting inside the kernel, and not even SIGKILL
 * reaches it (facts: cause 13). A shell that starts one command after another is in state D at most looks too (vfork),
 * but its time goes on.
 */
export function uninterruptible(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'uninterruptible' || facts.stateSeenTimes < looksInStateD || !isQuiet(facts)) return undefined
  return {
    code: 'uninterruptible',
    summary: `${facts.worker} waits inside the kernel (a disk, a network file system, a driver); no signal reaches it.`,
    evidence: [
      { what: `state of process ${facts.pid}`, value: 'D (uninterruptible)' },
      { what: 'looks in a row that saw it', value: String(facts.stateSeenTimes) },
    ],
    advice:
      'Look at the device or the mount it waits for: until that answers, SIGKILL stays pending and the process ' +
      'cannot be ended.',
    confidence: 'likely',
  }
}
