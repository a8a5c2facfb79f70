import { stateEvidence } from '../evidence'
import { commaSeparated, duration, message } from '../messages'
import { isQuiet } from '../quiet'
import { makeVerdict, type EvidenceMessage, type Verdict } from '../verdict'
import type { RunningTaskFacts } from './facts'
import { foreseen } from './foreseen'

const mostDescendants = 5

/** Over the threshold, without output and without CPU time of the worker or its descendants since sampling began. */
export function noProgress(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.ageMs < facts.stuckAfterMs || !isQuiet(facts)) return undefined
  const { label, worker, survivedTerminate } = facts
  const quiet = duration(facts.quietMs)
  return makeVerdict({
    code: 'no-progress',
    summary: message('{0} has used no CPU and printed nothing for {1}.', label, quiet),
    evidence: [
      { what: message('running for'), value: duration(facts.ageMs) },
      { what: message('CPU time and output'), value: message('none for {0}', quiet) },
      stateEvidence(facts.pid, facts.state),
      ...descendantEvidence(facts),
      ...(survivedTerminate === null
        ? []
        : [{ what: message('SIGTERM was sent'), value: foreseen(survivedTerminate, message('no effect')) }]),
    ],
    advice:
      survivedTerminate === null
        ? message(
            'It has waited for {0} so far: terminate {1} to free its place, or raise stuckAfterMs if waiting this ' +
              'long is normal.',
            quiet,
            worker,
          )
        : message('SIGTERM does not end it: kill {0} (SIGKILL).', worker),
    confidence: 'likely',
  })
}

function descendantEvidence({ descendants }: RunningTaskFacts): EvidenceMessage[] {
  if (descendants.length === 0) return []
  const shown = descendants.slice(0, mostDescendants).map(({ command, pid }) => message('{0} (pid {1})', command, pid))
  return [
    {
      what: message('processes below it, idle as well'),
      value: commaSeparated(descendants.length > mostDescendants ? [...shown, '…'] : shown),
    },
  ]
}
