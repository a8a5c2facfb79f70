import type { Evidence, Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'
import { durationInWords } from '../words'

/**
 * How long a task must have been seen without movement, as a share of `stuckAfterMs`. Nothing is looked at before half
 * of it has passed, so a task that never moved gets its verdict at `stuckAfterMs` and not later.
 */
export const quietShare = 0.5
/** The timers of a poll are allowed to come this much early or late without the verdict waiting for the next look. */
const timerSlackMs = 25

/** No movement for as long as a verdict needs. */
export function isQuiet(facts: Pick<RunningTaskFacts, 'quietMs' | 'stuckAfterMs'>): boolean {
  return facts.quietMs >= facts.stuckAfterMs * quietShare - timerSlackMs
}

/**
 * Over the threshold and, since it has been looked at, no CPU time (of the worker or anything below it) and no output.
 */
export function noProgress(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.ageMs < facts.stuckAfterMs || !isQuiet(facts)) return undefined
  const evidence: Evidence[] = [
    { what: 'running for', value: durationInWords(facts.ageMs) },
    { what: 'CPU time and output', value: `none for ${durationInWords(facts.quietMs)}` },
    { what: `state of process ${facts.pid}`, value: facts.state },
  ]
  if (facts.descendants.length > 0) {
    evidence.push({
      what: 'processes below it, idle as well',
      value:
        facts.descendants
          .slice(0, 5)
          .map((row) => `${row.command} (pid ${row.pid})`)
          .join(', ') + (facts.descendants.length > 5 ? ', …' : ''),
    })
  }
  const { survivedTerminate } = facts
  if (survivedTerminate !== null)
    evidence.push({ what: 'SIGTERM was sent', value: survivedTerminate.join(', ') || 'no effect' })
  return {
    code: 'no-progress',
    summary: `${facts.label} has used no CPU and printed nothing for ${durationInWords(facts.quietMs)}.`,
    evidence,
    advice:
      survivedTerminate === null
        ? `It has waited for ${durationInWords(facts.quietMs)} so far: terminate ${facts.worker} to free its ` +
          'place, or raise stuckAfterMs if waiting this long is normal.'
        : `SIGTERM does not end it: kill ${facts.worker} (SIGKILL).`,
    confidence: 'likely',
  }
}
