import type { RunningTaskFacts } from './facts'
import type { Verdict } from '../verdict'
import { durationInWords } from '../words'

/** Over the threshold, but it moves: said, never flagged as stuck (facts: cause 24, false alarms under load). */
export function slow(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.ageMs < facts.stuckAfterMs) return undefined
  return {
    code: 'slow',
    summary: `${facts.label} has been running for ${durationInWords(facts.ageMs)} and is still working.`,
    evidence: [
      { what: `CPU time in the last ${durationInWords(facts.watchedMs)}`, value: durationInWords(facts.cpuMs) },
      { what: 'output in that time', value: `${facts.outputBytes} bytes` },
    ],
    advice: 'Wait, or raise stuckAfterMs if tasks of this kind take that long.',
    confidence: 'likely',
  }
}
