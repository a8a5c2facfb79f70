import { duration, message, results, type Message } from '../messages'
import { isExecutor, isPool, itemsLeft, liveWorkers, waitsForNothing } from './conditions'
import { callEvidence, lastExitsEvidence, parentEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { withArrived } from './phrases'
import { programVerdict } from './programVerdict'

/**
 * How long nothing may move before a result counts as missing without a worker that lost it: longer than elsewhere, as
 * there is no proof.
 */
const unmovedMs = 5000

/** A result is missing, and no dead worker explains it: one may have died between taking its task and noting it. */
export function lostSomewhere(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  if (!isPool(facts) || isExecutor(facts) || !waitsForNothing(facts, unmovedMs)) return []
  // The effect of an exit this recent is not known yet.
  if (facts.workers.some(({ exit, state }) => state === 'zombie' || (exit !== null && exit.agoMs < unmovedMs)))
    return []
  const waiting = facts.jobs.filter(({ left }) => (left ?? 0) > 0)
  const live = liveWorkers(facts)
  const quietMs = Math.min(facts.parent.quietMs, facts.unchangedMs, ...live.map((worker) => worker.quietMs))
  return [
    programVerdict({
      code: 'lost-task',
      summary: withArrived(waitsInVain(facts, live.length), waiting),
      evidence: [
        ...callEvidence(waiting),
        { what: message('bytes in the pipes of tasks and results'), value: 0 },
        // A worker that has done its share exits with 0: pools plan that.
        ...lastExitsEvidence(facts.workers.filter(({ exit }) => exit?.exitCode !== 0)),
        {
          what: message('program and workers'),
          value: message('no change and no CPU time for {0}', duration(quietMs)),
        },
        ...parentEvidence(facts),
      ],
      advice: message(
        'A worker probably ended with a task before it could note it: one that cannot be unpickled ends it (a ' +
          "function that was defined after the pool was made, or is missing in the worker's main module); its " +
          'traceback is in the output. Terminate the program.',
      ),
      confidence: 'likely',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    }),
  ]
}

function waitsInVain(facts: ProgramPoolFacts, workers: number): Message {
  const missing = results(itemsLeft(facts))
  return workers === 1
    ? message(
        '{0} waits for {1} that nobody works on: its worker waits for a task, and none is on its way',
        facts.pool,
        missing,
      )
    : message(
        '{0} waits for {1} that nobody works on: all {2} workers wait for a task, and none is on its way',
        facts.pool,
        missing,
        workers,
      )
}
