import { duration, message, sentences, type Text } from '../messages'
import { isOpen, quietEnoughMs } from './conditions'
import { callEvidence, parentEvidence, unreadResultsEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { programVerdict } from './programVerdict'

/**
 * A callback blocks the thread that receives the results ("callbacks should complete immediately", documentation of
 * multiprocessing.pool). If it waits for results of its own pool, it waits for that thread; any other may only be slow.
 */
export function callbackWaits(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, parent, callback, jobs, stuckAfterMs } = facts
  if (callback === null || !isOpen(facts) || !parent.answers || jobs.length === 0) return []
  const { at, quietMs, waitsForOwnPool: isSelfWait } = callback
  if (quietMs < (isSelfWait ? quietEnoughMs : Math.max(quietEnoughMs, stuckAfterMs))) return []
  const quiet = duration(quietMs)
  return [
    programVerdict({
      code: isSelfWait ? 'self-wait' : 'no-progress',
      summary: isSelfWait
        ? message(
            "{0} will wait for ever: a callback of it waits for the pool's own results in {1}, in the thread that " +
              'receives them.',
            pool,
            at,
          )
        : message(
            'A callback of {0} has not returned for {1} ({2}), and no result is received while it runs.',
            pool,
            quiet,
            at,
          ),
      evidence: [
        { what: message('callback, in the thread that receives results'), value: at },
        ...callEvidence(jobs),
        ...unreadResultsEvidence(facts),
        { what: message('CPU time of that thread'), value: message('none for {0}', quiet) },
        ...parentEvidence(facts),
      ],
      advice: isSelfWait
        ? message(
            'Do not wait for a pool in its callbacks: submit more with apply_async(), and wait in the main thread. ' +
              'Terminate the program (pid {0}).',
            parent.pid,
          )
        : slowCallbackAdvice(jobs.length),
      confidence: isSelfWait ? 'certain' : 'likely',
      stuck: true,
      worker: null,
      pid: parent.pid,
      task: null,
      rescue: [],
    }),
  ]
}

function slowCallbackAdvice(calls: number): Text {
  return sentences(
    calls === 1
      ? message('Callbacks should return at once: 1 call waits for this one.')
      : message('Callbacks should return at once: {0} calls wait for this one.', calls),
    message(
      'Let it put its result into a queue.Queue that another thread works on; raise stuckAfterMs if it may take ' +
        'this long.',
    ),
  )
}
