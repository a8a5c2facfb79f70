import type { RunningTaskFacts } from './facts'
import type { Verdict } from '../verdict'

/**
 * It was asked to end and is still there (facts: causes 10 and 11). It may well be working: not stuck for that alone.
 */
export function sigtermIgnored(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.survivedTerminate === null) return undefined
  return {
    code: 'sigterm-ignored',
    summary: `${facts.worker} was sent SIGTERM and is still running.`,
    evidence: [
      {
        what: 'seen before the signal',
        value: facts.survivedTerminate.join(', ') || 'nothing unusual: it catches SIGTERM, or is blocked in it',
      },
    ],
    advice: `Kill ${facts.worker} (SIGKILL): that cannot be caught or ignored.`,
    confidence: 'certain',
  }
}
