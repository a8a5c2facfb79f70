import { message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { OrphanFacts } from './facts'

/** A process that outlived the host that started it (cause 15 in README.md). */
export function orphaned({ worker, pid, startedAt, leftBy }: OrphanFacts): Verdict {
  return makeVerdict({
    code: 'orphaned',
    summary:
      leftBy === null
        ? message('The host that started this process has died; nobody reads its output or waits for it.')
        : message('{0} of a host that has died left this process behind.', leftBy),
    evidence: [
      { what: message('process'), value: message('pid {0}, the one that was started as {1}', pid, worker) },
      { what: message('started'), value: new Date(startedAt).toISOString() },
    ],
    advice: message('Terminate it, or kill it if it does not end. Launch the pool again for its results.'),
    confidence: 'certain',
  })
}
