import type { OrphanFacts } from './facts'
import type { Verdict } from '../verdict'

/** A worker that outlived the host that started it (facts: cause 15). */
export function orphaned(facts: OrphanFacts): Verdict {
  return {
    code: 'orphaned',
    summary:
      `${facts.worker} (pid ${facts.pid}) of ${facts.poolName} is still running although its host (pid ` +
      `${facts.hostPid}) is gone.`,
    evidence: [
      { what: 'host that started it', value: `pid ${facts.hostPid}, gone` },
      { what: 'still running', value: `pid ${facts.pid}` },
    ],
    advice: 'Nobody will read its result: terminate or kill it.',
    confidence: 'certain',
  }
}
