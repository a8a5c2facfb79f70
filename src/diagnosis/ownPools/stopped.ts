import { stoppedEvidence } from '../evidence'
import { message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'

/** State T, by SIGSTOP or under a debugger: nothing moves until the process is continued (cause 12 in README.md). */
export function stopped(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'stopped') return undefined
  return makeVerdict({
    code: 'stopped',
    summary: message('{0} is stopped (SIGSTOP or a debugger), so {1} cannot go on.', facts.worker, facts.label),
    evidence: [stoppedEvidence(facts.pid)],
    advice: message(
      'Continue it with "kill -CONT {0}", or terminate the worker: a shutdown continues it so that the ' +
        'signal arrives.',
      facts.pid,
    ),
    confidence: 'certain',
  })
}
