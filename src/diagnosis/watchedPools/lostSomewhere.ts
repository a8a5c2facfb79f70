import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import type { Evidence } from '../verdict'
import { durationInWords } from '../words'
import { isExecutor, isPool, itemsLeft, liveWorkers, waitsForNothing } from './conditions'
import { arrivedOf, callWords, count, endedHow, list, nameOf, parentEvidence } from './phrases'

/**
 * How long nothing may move before a result counts as missing although nobody was seen to lose it: longer than
 * elsewhere, as nothing proves it.
 */
const nobodyMovesMs = 5000

/** A result is missing, and no dead worker explains it (for example one that died between its note and its task). */
export function lostSomewhere(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  if (!isPool(facts) || isExecutor(facts) || !waitsForNothing(facts, nobodyMovesMs)) return []
  // Somebody has just left: what that means is still to be seen.
  if (facts.workers.some(({ exit, state }) => state === 'zombie' || (exit !== null && exit.agoMs < nobodyMovesMs)))
    return []
  const waiting = facts.jobs.filter(({ left }) => (left ?? 0) > 0)
  const live = liveWorkers(facts)
  const arrived = arrivedOf(waiting)
  return [
    {
      code: 'lost-task',
      summary:
        `${facts.pool} waits for ${count(itemsLeft(facts), 'result')} that nobody works on: ` +
        `${live.length === 1 ? 'its worker waits' : `all ${live.length} workers wait`} for a task, and none is on ` +
        `its way${arrived === '' ? '' : `; ${arrived}`}.`,
      evidence: [
        ...waiting.slice(0, 5).map(callWords),
        { what: 'bytes in the pipes of tasks and results', value: '0' },
        ...exits(facts),
        {
          what: 'program and workers',
          value: `no change and no CPU time for ${durationInWords(Math.min(facts.parent.quietMs, facts.unchangedMs, ...live.map(({ quietMs }) => quietMs)))}`,
        },
        ...parentEvidence(facts),
      ],
      advice:
        'A worker probably ended with a task before it could note it: one that cannot be unpickled ends it (a ' +
        "function that was defined after the pool was made, or is missing in the worker's main module); its " +
        'traceback is in the output. Terminate the program.',
      confidence: 'likely',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    },
  ]
}

/** Those that pools do not plan: a worker that has done its share exits with 0. */
function exits({ workers }: ProgramPoolFacts): Evidence[] {
  const failed = workers.flatMap((worker) =>
    worker.exit === null || worker.exit.exitCode === 0
      ? []
      : [`${nameOf(worker)} ${endedHow(worker.exit)} ${durationInWords(worker.exit.agoMs)} ago`],
  )
  return failed.length === 0 ? [] : [{ what: 'last exits', value: list(failed) }]
}
