import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { durationInWords } from '../words'
import { isAnythingAwaited, isOpen, isPool, mayBeEnding } from './conditions'
import { endedHow, exitEvidence, list, nameOf, parentEvidence } from './phrases'

/**
 * From the look that found it dead to the one that still does; a pool collects its workers every tenth of a second, or
 * of a few.
 */
const uncollectedForMs = 2000

/**
 * State Z: dead, but not collected by its parent; kill(pid, 0) still succeeds (facts: cause 14). Of a pool that means
 * that nobody runs in it who could replace the worker: its program stands in C code that keeps the GIL. It explains; a
 * task that went along is told as `lost-task`. A program may collect its own Processes as late as it likes.
 */
export function zombieWorkers(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, parent, stuckAfterMs } = facts
  if (!isPool(facts) || !collectsWorkers(facts)) return []
  const dead = facts.workers.flatMap((worker) => {
    const { exit } = worker
    // One that left in order has done its share of tasks, and a program that works in C code for a while replaces it
    // after that.
    return exit?.uncollected === true &&
      exit.agoMs >= (exit.exitCode === 0 ? stuckAfterMs : uncollectedForMs) &&
      !mayBeEnding(facts, exit)
      ? [{ worker, exit }]
      : []
  })
  const [first] = dead
  if (first === undefined) return []
  const only = dead.length === 1 ? first.worker : undefined
  return [
    {
      code: 'zombie',
      summary:
        only === undefined
          ? `${dead.length} workers of ${pool} are dead but were not collected by their program, so nobody replaces them: ${list(
              dead.map(({ worker }) => nameOf(worker)),
              3,
            )}.`
          : `${nameOf(only)} of ${pool} is dead (it ${endedHow(first.exit)}) but was not collected by its program, ` +
            'so nobody replaces it.',
      evidence: [
        { what: only === undefined ? 'state of these processes' : `state of process ${only.pid}`, value: 'Z (zombie)' },
        ...(only === undefined
          ? dead.slice(0, 5).map(({ worker, exit }) => ({ what: nameOf(worker), value: endedHow(exit) }))
          : exitEvidence(only, first.exit)),
        {
          what: `the program (pid ${parent.pid})`,
          value:
            only === undefined
              ? 'has not waited for them'
              : `has not waited for it in ${durationInWords(first.exit.agoMs)}`,
        },
        ...parentEvidence(facts),
      ],
      advice:
        `Nothing can be signalled any more; ${only === undefined ? 'they go' : 'it goes'} when the program (pid ` +
        `${parent.pid}) collects ${only === undefined ? 'them' : 'it'} or ` +
        `ends.${parent.answers ? '' : ' As that does not answer, it probably stands in C code that keeps the GIL: its stack shows where.'}`,
      confidence: 'certain',
      stuck: false,
      worker: only?.name ?? null,
      pid: only?.pid ?? null,
      task: only?.task?.id ?? null,
      rescue: [],
    },
  ]
}

/**
 * The thread that replaces workers ends with the last call of a closed pool: what leaves then is collected in `join()`,
 * or never.
 */
function collectsWorkers(facts: ProgramPoolFacts): boolean {
  return isOpen(facts) && facts.threads?.workers !== false && (facts.state !== 'close' || isAnythingAwaited(facts))
}
