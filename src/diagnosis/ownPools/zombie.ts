import type { RunningTaskFacts } from './facts'
import type { Verdict } from '../verdict'

/** State Z: dead, but not collected by its parent; kill(pid, 0) still succeeds (facts: cause 14). */
export function zombie(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'zombie') return undefined
  return {
    code: 'zombie',
    summary: `${facts.worker} is dead but was not collected by its parent, so ${facts.label} will not be answered.`,
    evidence: [{ what: `state of process ${facts.pid}`, value: 'Z (zombie)' }],
    advice: 'Nothing can be signalled any more; it goes when its parent collects it or ends.',
    confidence: 'certain',
  }
}
