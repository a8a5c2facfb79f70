import { noCpuEvidence } from '../evidence'
import { message } from '../messages'
import { isAnythingQueued, isBusy, liveWorkers, quietEnoughMs } from './conditions'
import { threadsEvidence, whereEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { framesInWords, nameOf, taskOrIts } from './phrases'
import { isInPoolWait, poolWaits } from './poolWaits'
import { programVerdict } from './programVerdict'

/**
 * A task waits for results of a pool that only the task itself or its siblings could bring (cause 20 in README.md): the
 * forked copy of a pool in a worker has no threads, and when all workers wait, none is left to work. A worker with a
 * pool of its own waits for that one.
 */
export function selfWait(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  // An older stack proves nothing: the worker may wait for something else now, and its own pool may be gone.
  const waiting = liveWorkers(facts).filter(
    (worker) =>
      worker.phase === 'running' &&
      worker.quietMs >= quietEnoughMs &&
      worker.wait?.timed !== true &&
      worker.stackIsOfWait &&
      worker.waitsMs > 0 &&
      isInPoolWait(worker) &&
      !worker.hasPools,
  )
  const allWait =
    waiting.length > 0 &&
    isAnythingQueued(facts) &&
    liveWorkers(facts).every((worker) => isBusy(worker) && waiting.includes(worker))
  return waiting.flatMap((worker) => {
    const isAlone = worker.threads === 1 && worker.aloneMs > 0
    if (!isAlone && !allWait) return []
    const { task, stack } = worker
    return [
      programVerdict({
        code: 'self-wait',
        summary: isAlone
          ? message(
              '{0} of {1} will wait for ever: {2} uses a pool, but it has only a copy of that pool, without the ' +
                'threads that serve it.',
              nameOf(worker),
              facts.pool,
              taskOrIts(task),
            )
          : message(
              '{0} of {1} will wait for ever: {2} waits for results of a pool whose workers all wait like this.',
              nameOf(worker),
              facts.pool,
              taskOrIts(task),
            ),
        evidence: [
          { what: message('waits in'), value: framesInWords(poolWaits(stack)) },
          ...whereEvidence(worker),
          threadsEvidence(worker, worker.threads ?? message('unknown')),
          ...(allWait
            ? [
                {
                  what: message('workers that wait like this'),
                  value: message('all {0}, with {1} tasks queued', waiting.length, facts.queued ?? 0),
                },
              ]
            : []),
          noCpuEvidence(worker.quietMs),
        ],
        advice: message(
          'Do not wait for a pool inside of its own tasks: return what is to be done next, and let the program ' +
            'submit it.',
        ),
        confidence: isAlone ? 'certain' : 'likely',
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      }),
    ]
  })
}
