import { uninterruptibleEvidence } from '../evidence'
import { message } from '../messages'
import { isQuiet, samplesInStateD } from '../quiet'
import { makeVerdict, type Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'

/**
 * State D in consecutive samples without movement: the process waits inside the kernel, and even SIGKILL does not reach
 * it (cause 13 in README.md). A shell that starts one command after another is in state D (vfork) at most samples too,
 * but its CPU time grows.
 */
export function uninterruptible(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'uninterruptible' || facts.stateSeenTimes < samplesInStateD || !isQuiet(facts)) return undefined
  return makeVerdict({
    code: 'uninterruptible',
    summary: message(
      '{0} waits inside the kernel (a disk, a network file system, a driver); no signal reaches it.',
      facts.worker,
    ),
    evidence: uninterruptibleEvidence(facts.pid, facts.stateSeenTimes),
    advice: message(
      'Look at the device or the mount it waits for: until that answers, SIGKILL stays pending and the process ' +
        'cannot be ended.',
    ),
    confidence: 'likely',
  })
}
