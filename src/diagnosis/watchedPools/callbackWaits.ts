import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { durationInWords } from '../words'
import { isOpen, quietEnoughMs } from './conditions'
import { callWords, count, parentEvidence } from './phrases'

/**
 * A callback holds up the thread that receives the results (the library's documentation: "callbacks should complete
 * immediately"). One that waits for results of its own pool waits for that very thread; any other may only be slow.
 */
export function callbackWaits(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, parent, callback, jobs, stuckAfterMs } = facts
  if (callback === null || !isOpen(facts) || !parent.answers || jobs.length === 0) return []
  const { quietMs, waitsForOwnPool: isSelfWait } = callback
  if (quietMs < (isSelfWait ? quietEnoughMs : Math.max(quietEnoughMs, stuckAfterMs))) return []
  return [
    {
      code: isSelfWait ? 'self-wait' : 'no-progress',
      summary: isSelfWait
        ? `${pool} will wait for ever: a callback of it waits for the pool's own results in ${callback.at}, in the ` +
          'thread that receives them.'
        : `A callback of ${pool} has not returned for ${durationInWords(quietMs)} (${callback.at}), and no result ` +
          'is received while it runs.',
      evidence: [
        { what: 'callback, in the thread that receives results', value: callback.at },
        ...jobs.slice(0, 5).map(callWords),
        ...(facts.resultPipeBytes === null
          ? []
          : [{ what: 'results in the pipe that nobody reads', value: `${facts.resultPipeBytes} bytes` }]),
        { what: 'CPU time of that thread', value: `none for ${durationInWords(quietMs)}` },
        ...parentEvidence(facts),
      ],
      advice: isSelfWait
        ? 'Do not wait for a pool in its callbacks: submit more with apply_async(), and wait in the main thread. ' +
          `Terminate the program (pid ${parent.pid}).`
        : `Callbacks should return at once: ${count(jobs.length, 'call')} ${jobs.length === 1 ? 'waits' : 'wait'} ` +
          'for this one. Let it put its result into a queue.Queue that another thread works on; raise stuckAfterMs ' +
          'if it may take this long.',
      confidence: isSelfWait ? 'certain' : 'likely',
      stuck: true,
      worker: null,
      pid: parent.pid,
      task: null,
      rescue: [],
    },
  ]
}
