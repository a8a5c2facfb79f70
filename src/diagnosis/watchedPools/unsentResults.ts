import { list, message, type Message } from '../messages'
import { isPool, quietEnoughMs, waitsForNothing } from './conditions'
import { parentEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { nameOf } from './phrases'
import { programVerdict } from './programVerdict'

/**
 * Results that could not be pickled (cause 6 in README.md): the caller gets an error instead; if that does not arrive
 * either, the caller waits.
 */
export function unsentResults(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const workers = facts.workers.filter(({ unpicklableResults }) => unpicklableResults > 0)
  if (!isPool(facts) || workers.length === 0) return []
  const results = workers.reduce((sum, { unpicklableResults }) => sum + unpicklableResults, 0)
  const stuck = waitsForNothing(facts, quietEnoughMs)
  const only = workers.length === 1 ? workers[0] : undefined
  const unsent = inWords(results, only === undefined ? message('{0} workers', workers.length) : nameOf(only), facts)
  return [
    programVerdict({
      code: 'unserializable-result',
      summary: stuck
        ? message('{0}, and nobody works on what the program waits for.', unsent)
        : message('{0}.', unsent),
      evidence: [
        {
          what: message('results that could not be pickled'),
          value: list(workers.map((worker) => message('{0}: {1}', nameOf(worker), worker.unpicklableResults))),
        },
        ...(stuck ? parentEvidence(facts) : []),
      ],
      advice: message(
        'Return plain data: no lambdas, open files, locks, generators or objects of classes made inside a function.',
      ),
      confidence: stuck ? 'likely' : 'certain',
      stuck,
      worker: only?.name ?? null,
      pid: only?.pid ?? null,
      task: null,
      rescue: [],
    }),
  ]
}

function inWords(results: number, workers: Message, { pool }: ProgramPoolFacts): Message {
  return results === 1
    ? message('1 result of {0} of {1} could not be sent back: it cannot be pickled', workers, pool)
    : message('{0} results of {1} of {2} could not be sent back: they cannot be pickled', results, workers, pool)
}
