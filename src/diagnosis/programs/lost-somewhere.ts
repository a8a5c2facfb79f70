import type { ProgramPoolFacts, ProgramVerdict } from '../program-facts'
import { durationInWords } from '../words'
import { isExecutor, isPool, liveWorkers, waitsForNothing } from './conditions'
import { count, parentEvidence } from './words'

/**
 * How long nothing may move before a result counts as missing although nobody was seen to lose it. Longer than elsewhere: the
 * thread that takes in results also runs the program's callbacks, and one of those may wait for something of its own.
 */
const nobodyMovesMs = 5000

/** A result is missing, and no dead worker explains it (for example one that died between its note and its task). */
export function lostSomewhere(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  if (!isPool(facts) || isExecutor(facts) || !waitsForNothing(facts, nobodyMovesMs)) return []
  // Somebody has just left: what that means is still to be seen.
  if (facts.workers.some(({ exit, state }) => state === 'zombie' || (exit !== null && exit.agoMs < nobodyMovesMs))) return []
  const waiting = facts.jobs.filter(({ left }) => left > 0)
  const live = liveWorkers(facts)
  const left = waiting.reduce((sum, job) => sum + job.left, 0)
  const total = waiting.reduce((sum, job) => sum + job.total, 0)
  return [{
    code: 'lost-task',
    summary: `${facts.pool} waits for ${count(left, 'result')} that nobody works on: all ${count(live.length, 'worker')} wait for a task and nothing is queued; ${total - left} of ${total} results arrived.`,
    evidence: [
      ...waiting.slice(0, 5).map(({ call, function: name, total: items, left: missing }) => ({ what: `${call}(${name}, ${count(items, 'item')})`, value: `${missing} not answered` })),
      { what: 'tasks queued, bytes in the pipes', value: 'none' },
      { what: 'program and workers', value: `no CPU time for ${durationInWords(Math.min(facts.parent.quietMs, ...live.map(({ quietMs }) => quietMs)))}` },
      ...parentEvidence(facts),
    ],
    advice: 'A worker probably ended with a task before it could note it. Terminate the program, or wait if a callback of it is at work.',
    confidence: 'likely',
    stuck: true, worker: null, pid: null, task: null, rescue: [],
  }]
}
