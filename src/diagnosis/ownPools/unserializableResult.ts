import type { UnserializableFacts } from './facts'
import type { Verdict } from '../verdict'

/**
 * The task worked, but its result cannot leave the worker (facts: causes 5 and 6, where it takes the whole pool down).
 */
export function unserializableResult(facts: UnserializableFacts): Verdict {
  return {
    code: 'unserializable-result',
    summary: `${facts.label} returned something that cannot be sent back from its worker.`,
    evidence: [{ what: 'structured clone', value: facts.detail }],
    advice:
      'Return plain data: no functions, class instances with private state, open handles or promises inside of it.',
    confidence: 'certain',
  }
}
