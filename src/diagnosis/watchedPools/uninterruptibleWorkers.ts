import { noCpuEvidence, uninterruptibleEvidence } from '../evidence'
import { message } from '../messages'
import { isQuiet, samplesInStateD } from '../quiet'
import { isLive } from './conditions'
import { waitEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'

/** State D in consecutive samples without movement: even SIGKILL does not reach the process (cause 13 in README.md). */
export function uninterruptibleWorkers(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { task, phase, holds, state, stateSeenTimes, quietMs } = worker
    if (
      !isLive(worker) ||
      state !== 'uninterruptible' ||
      stateSeenTimes < samplesInStateD ||
      !isQuiet({ quietMs, stuckAfterMs: facts.stuckAfterMs })
    )
      return []
    // An idle one blocks no other process.
    if (phase === 'idle' && task === null && holds.length === 0) return []
    return [
      programVerdict({
        code: 'uninterruptible',
        summary:
          task === null
            ? message(
                '{0} of {1} waits inside the kernel (a disk, a network file system, a driver); no signal reaches it.',
                nameOf(worker),
                facts.pool,
              )
            : message(
                '{0} of {1} waits inside the kernel (a disk, a network file system, a driver) in {2}; no signal ' +
                  'reaches it.',
                nameOf(worker),
                facts.pool,
                taskName(task),
              ),
        evidence: [
          ...uninterruptibleEvidence(worker.pid, stateSeenTimes),
          noCpuEvidence(quietMs),
          ...waitEvidence(worker),
        ],
        advice: message(
          'Look at the device or the mount it waits for: until that answers, SIGKILL stays pending and the process ' +
            'cannot be ended.',
        ),
        confidence: 'likely',
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      }),
    ]
  })
}
