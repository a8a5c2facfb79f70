import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { durationInWords } from '../words'
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
import { count, endedHow, list, nameOf, parentEvidence } from './phrases'

/** A pool replaces a worker within a tenth of a second, and an executor starts its first ones with the first call. */
const replacedWithinMs = 1000

/**
 * How long nobody replaces the last worker before nobody will: on a busy machine a fork of a starved program takes
 * seconds.
 */
function patienceMs(facts: ProgramPoolFacts): number {
  const { parent, threads, stuckAfterMs } = facts
  if (isExecutor(facts)) return executorNoticesMs
  if (threads?.workers === false) return replacedWithinMs
  return parent.answers && parent.quietMs >= quietEnoughMs ? quietEnoughMs : stuckAfterMs
}

/** Tasks wait, and there is nobody to do them (facts: cause 17). */
export function noLiveWorkers(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, workers, parent, threads } = facts
  if (
    facts.unseenWorkers > 0 ||
    !isPool(facts) ||
    !isOpen(facts) ||
    liveWorkers(facts).length > 0 ||
    !isAnythingAwaited(facts)
  )
    return []
  // How they ended, and whether their pool did that, is still to be seen.
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
    // Only the program's own quiet tells that this is no pool whose workers are just being started: an executor does
    // that in its first calls, which take many seconds on a busy machine.
    return []
  }
  const waiting =
    (facts.queued ?? 0) > 0
      ? `${count(facts.queued ?? 0, 'task')} queued`
      : `${count(itemsLeft(facts), 'result')} not there yet`
  return [
    {
      code: 'no-live-workers',
      summary: `${pool} will wait for ever: it has no worker left, with ${waiting}.`,
      evidence: [
        { what: 'workers alive', value: `0${facts.processes === null ? '' : ` of ${facts.processes}`}` },
        ...(exits.length === 0
          ? []
          : [
              {
                what: 'last exits',
                value: list(
                  workers.flatMap((worker) =>
                    worker.exit === null
                      ? []
                      : [`${nameOf(worker)} ${endedHow(worker.exit)} ${durationInWords(worker.exit.agoMs)} ago`],
                  ),
                ),
              },
            ]),
        ...(threads?.workers === false ? [{ what: 'thread that replaces workers', value: 'ended' }] : []),
        ...parentEvidence(facts),
      ],
      advice: `Terminate the program (pid ${parent.pid}); its output may tell why no worker was started.`,
      confidence: exits.length > 0 ? certainIfAnswers(facts) : 'likely',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    },
  ]
}
