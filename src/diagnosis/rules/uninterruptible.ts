import type { RunningTaskFacts } from '../facts'
import type { Verdict } from '../verdict'

/** A busy disk puts a healthy process in state D for moments; only one that is always seen there waits for a device. */
export const looksInStateD = 3

/** State D in several looks in a row: waiting inside the kernel, and not even SIGKILL reaches it (facts: cause 13). */
export function uninterruptible(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'uninterruptible' || facts.stateSeenTimes < looksInStateD) return undefined
  return {
    code: 'uninterruptible',
    summary: `${facts.worker} waits inside the kernel (a disk, a network file system, a driver); no signal reaches it.`,
    evidence: [
      { what: `state of process ${facts.pid}`, value: 'D (uninterruptible)' },
      { what: 'looks in a row that saw it', value: String(facts.stateSeenTimes) },
    ],
    advice: 'Look at the device or the mount it waits for: until that answers, SIGKILL stays pending and the process cannot be ended.',
    confidence: 'likely',
  }
}
