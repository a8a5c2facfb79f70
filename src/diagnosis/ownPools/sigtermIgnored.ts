import { message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'
import { foreseen } from './foreseen'

/**
 * SIGTERM was sent and the worker is still there (causes 10 and 11 in README.md). It may be working, so that this alone
 * is not stuck.
 */
export function sigtermIgnored(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.survivedTerminate === null) return undefined
  return makeVerdict({
    code: 'sigterm-ignored',
    summary: message('{0} was sent SIGTERM and is still running.', facts.worker),
    evidence: [
      {
        what: message('seen before the signal'),
        value: foreseen(facts.survivedTerminate, message('nothing unusual: it catches SIGTERM, or is blocked in it')),
      },
    ],
    advice: message('Kill {0} (SIGKILL): that cannot be caught or ignored.', facts.worker),
    confidence: 'certain',
  })
}
