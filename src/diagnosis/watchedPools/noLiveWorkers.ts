import { message, results, tasks } from '../messages'
import {
  certainIfAnswers,
  executorNoticesMs,
  isAnythingAwaited,
  isExecutor,
  isOpen,
  isPool,
  itemsLeft,
  liveWorkers,
  mayBeEnding,
  quietEnoughMs,
} from './conditions'
import { lastExitsEvidence, parentEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { programVerdict } from './programVerdict'

/** A pool replaces a worker within a tenth of a second, and an executor starts its first ones with the first call. */
const replacedWithinMs = 1000

/**
 * How long the last worker may stay without a replacement: on a busy machine a fork of a starved program takes seconds.
 */
function patienceMs(facts: ProgramPoolFacts): number {
  const { parent, threads, stuckAfterMs } = facts
  if (isExecutor(facts)) return executorNoticesMs
  if (threads?.workers === false) return replacedWithinMs
  return parent.answers && parent.quietMs >= quietEnoughMs ? quietEnoughMs : stuckAfterMs
}

/** Tasks wait, and no worker is left for them (cause 17 in README.md). */
export function noLiveWorkers(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, workers, parent, threads, processes, queued } = facts
  if (
    facts.unseenWorkers > 0 ||
    !isPool(facts) ||
    !isOpen(facts) ||
    liveWorkers(facts).length > 0 ||
    !isAnythingAwaited(facts)
  )
    return []
  // The exit of a zombie, and whether the pool caused it, is not known yet.
  if (workers.some(({ exit, state }) => exit === null && state === 'zombie')) return []
  const exits = workers.flatMap(({ exit }) => exit ?? [])
  if (exits.length > 0) {
    const newestMs = Math.min(...exits.map(({ agoMs }) => agoMs))
    if (newestMs < patienceMs(facts) || exits.some((exit) => mayBeEnding(facts, exit))) return []
  } else if (
    !parent.answers ||
    Math.min(parent.quietMs, facts.poolAgeMs ?? 0) <
      (threads?.workers === false || !isExecutor(facts) ? quietEnoughMs : facts.stuckAfterMs)
  ) {
    // Without exits, only a quiet program shows that its pool is not just starting workers: an executor does so in its
    // first calls, which take many seconds on a busy machine.
    return []
  }
  return [
    programVerdict({
      code: 'no-live-workers',
      summary: message(
        '{0} will wait for ever: it has no worker left, with {1}.',
        pool,
        (queued ?? 0) > 0
          ? message('{0} queued', tasks(queued ?? 0))
          : message('{0} not there yet', results(itemsLeft(facts))),
      ),
      evidence: [
        { what: message('workers alive'), value: processes === null ? 0 : message('0 of {0}', processes) },
        ...lastExitsEvidence(workers),
        ...(threads?.workers === false
          ? [{ what: message('thread that replaces workers'), value: message('ended') }]
          : []),
        ...parentEvidence(facts),
      ],
      advice: message('Terminate the program (pid {0}); its output may tell why no worker was started.', parent.pid),
      confidence: exits.length > 0 ? certainIfAnswers(facts) : 'likely',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    }),
  ]
}
