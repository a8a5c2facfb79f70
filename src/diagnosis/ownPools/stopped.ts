import type { RunningTaskFacts } from './facts'
import type { Verdict } from '../verdict'

/**
 * State T: somebody sent SIGSTOP (or a debugger holds it). Nothing will move until it is continued (facts: cause 12).
 */
export function stopped(facts: RunningTaskFacts): Verdict | undefined {
  if (facts.state !== 'stopped') return undefined
  return {
    code: 'stopped',
    summary: `${facts.worker} is stopped (SIGSTOP or a debugger), so ${facts.label} cannot go on.`,
    evidence: [{ what: `state of process ${facts.pid}`, value: 'T (stopped)' }],
    advice:
      `Continue it with "kill -CONT ${facts.pid}", or terminate the worker: a shutdown continues it so that the ` +
      'signal arrives.',
    confidence: 'certain',
  }
}
