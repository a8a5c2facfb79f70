import { ledgerEvidence } from '../evidence'
import { duration, exitNotation, message, type Message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { LostTaskFacts } from './facts'

/** The worker ended with a task in flight, by our signal or not (causes 3 and 4 in README.md). */
export function lostTask(facts: LostTaskFacts): Verdict {
  const { worker, pid, label, uncaught } = facts
  const ending = exitNotation(facts.exitCode, facts.signal)
  return makeVerdict({
    code: 'lost-task',
    summary: message('{0} ended ({1}) before {2} was done.', worker, ending, label),
    evidence: [
      { what: message('exit of {0} (pid {1})', worker, pid), value: ending },
      { what: message('task had been running for'), value: duration(facts.elapsedMs) },
      ledgerEvidence(facts.endedByUs),
      ...(uncaught === null ? [] : [{ what: message('uncaught error'), value: uncaught }]),
    ],
    advice: adviceFor(facts),
    confidence: 'certain',
  })
}

function adviceFor({ endedByUs, uncaught, signal }: LostTaskFacts): Message {
  if (endedByUs !== null) return message('Run it again with Retry, or set "retries" if it may run more than once.')
  if (uncaught !== null)
    return message('Catch the error inside the task: an error outside of its promise ends the whole process.')
  if (signal === 'SIGKILL')
    return message(
      'Somebody else sent SIGKILL: often the kernel, out of memory. Look at the memory of the workers, or ' +
        'lower "processes".',
    )
  if (signal !== null) return message('The process was ended by {0}, which Unhang did not send.', signal)
  return message('The task called process.exit(), or the process ended by itself: return from the task instead.')
}
