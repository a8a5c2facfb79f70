import { bytes, duration, message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'

/** Over the threshold, but it moves: reported, never as stuck (cause 24 in README.md, false alarms under load). */
export function slow(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.ageMs < facts.stuckAfterMs) return undefined
  return makeVerdict({
    code: 'slow',
    summary: message('{0} has been running for {1} and is still working.', facts.label, duration(facts.ageMs)),
    evidence: [
      { what: message('CPU time in the last {0}', duration(facts.watchedMs)), value: duration(facts.cpuMs) },
      { what: message('output in that time'), value: bytes(facts.outputBytes) },
    ],
    advice: message('Wait, or raise stuckAfterMs if tasks of this kind take that long.'),
    confidence: 'likely',
  })
}
