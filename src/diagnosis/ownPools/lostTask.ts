import type { Evidence, Verdict } from '../verdict'
import type { LostTaskFacts } from './facts'
import { durationInWords, exitInWords } from '../words'

/** The worker ended with a task in flight; the kill ledger tells whether it was us (facts: causes 3 and 4). */
export function lostTask(facts: LostTaskFacts): Verdict {
  const exit = exitInWords(facts.exitCode, facts.signal)
  const evidence: Evidence[] = [
    { what: `exit of ${facts.worker} (pid ${facts.pid})`, value: exit },
    { what: 'task had been running for', value: durationInWords(facts.elapsedMs) },
    {
      what: 'our kill ledger',
      value:
        facts.endedByUs === null
          ? 'no signal from us'
          : `ended by us: ${facts.endedByUs.reason} (asked by ${facts.endedByUs.askedBy})`,
    },
  ]
  if (facts.uncaught !== null) evidence.push({ what: 'uncaught error', value: facts.uncaught })
  return {
    code: 'lost-task',
    summary: `${facts.worker} ended (${exit}) before ${facts.label} was done.`,
    evidence,
    advice: advice(facts),
    confidence: 'certain',
  }
}

function advice(facts: LostTaskFacts): string {
  if (facts.endedByUs !== null) return 'Run it again with Retry, or set "retries" if it may run more than once.'
  if (facts.uncaught !== null)
    return 'Catch the error inside the task: an error outside of its promise ends the whole process.'
  if (facts.signal === 'SIGKILL')
    return (
      'Somebody else sent SIGKILL: often the kernel, out of memory. Look at the memory of the workers, or ' +
      'lower "processes".'
    )
  if (facts.signal !== null) return `The process was ended by ${facts.signal}, which Unhang did not send.`
  return 'The task called process.exit(), or the process ended by itself: return from the task instead.'
}
