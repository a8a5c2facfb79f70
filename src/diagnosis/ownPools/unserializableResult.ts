import { message } from '../messages'
import { makeVerdict, type Verdict } from '../verdict'
import type { UnserializableFacts } from './facts'

/** The task succeeded, but its result cannot leave the worker (causes 5 and 6 in README.md). */
export function unserializableResult(facts: UnserializableFacts): Verdict {
  return makeVerdict({
    code: 'unserializable-result',
    summary: message('{0} returned something that cannot be sent back from its worker.', facts.label),
    evidence: [{ what: message('structured clone'), value: facts.detail }],
    advice: message(
      'Return plain data: no functions, class instances with private state, open handles or promises inside of it.',
    ),
    confidence: 'certain',
  })
}
