import { message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'

/** State Z: dead, but not collected by its parent; kill(pid, 0) still succeeds (cause 14 in README.md). */
export function zombie(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'zombie') return undefined
  return makeVerdict({
    code: 'zombie',
    summary: message(
      '{0} is dead but was not collected by its parent, so {1} will not be answered.',
      facts.worker,
      facts.label,
    ),
    evidence: [{ what: message('state of process {0}', facts.pid), value: message('Z (zombie)') }],
    advice: message('Nothing can be signalled any more; it goes when its parent collects it or ends.'),
    confidence: 'certain',
  })
}
