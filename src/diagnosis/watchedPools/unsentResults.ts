import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { isPool, quietEnoughMs, waitsForNothing } from './conditions'
import { count, list, nameOf, parentEvidence } from './phrases'

/**
 * Results that could not be pickled: the caller gets an error instead (facts: cause 6); if even that does not come, it
 * waits.
 */
export function unsentResults(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const workers = facts.workers.filter(({ unpicklableResults }) => unpicklableResults > 0)
  if (!isPool(facts) || workers.length === 0) return []
  const results = workers.reduce((sum, { unpicklableResults }) => sum + unpicklableResults, 0)
  const stuck = waitsForNothing(facts, quietEnoughMs)
  const only = workers.length === 1 ? workers[0] : undefined
  return [
    {
      code: 'unserializable-result',
      summary:
        `${count(results, 'result')} of ${only === undefined ? `${workers.length} workers` : nameOf(only)} of ` +
        `${facts.pool} could not be sent back: ${results === 1 ? 'it cannot' : 'they cannot'} be ` +
        `pickled${stuck ? ', and nobody works on what the program waits for' : ''}.`,
      evidence: [
        {
          what: 'results that could not be pickled',
          value: list(workers.map((worker) => `${nameOf(worker)}: ${worker.unpicklableResults}`)),
        },
        ...(stuck ? parentEvidence(facts) : []),
      ],
      advice:
        'Return plain data: no lambdas, open files, locks, generators or objects of classes made inside a function.',
      confidence: stuck ? 'likely' : 'certain',
      stuck,
      worker: only?.name ?? null,
      pid: only?.pid ?? null,
      task: null,
      rescue: [],
    },
  ]
}
