import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { isQuiet } from '../ownPools/noProgress'
import { looksInStateD } from '../ownPools/uninterruptible'
import { durationInWords } from '../words'
import { isLive } from './conditions'
import { nameOf, taskName, waitInWords } from './phrases'

/** State D, again and again, and nothing moved meanwhile: not even SIGKILL reaches it (facts: cause 13). */
export function uninterruptibleWorkers(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { task, phase, holds, state, stateSeenTimes, quietMs } = worker
    if (
      !isLive(worker) ||
      state !== 'uninterruptible' ||
      stateSeenTimes < looksInStateD ||
      !isQuiet({ quietMs, stuckAfterMs: facts.stuckAfterMs })
    )
      return []
    // An idle one keeps nobody waiting.
    if (phase === 'idle' && task === null && holds.length === 0) return []
    return [
      {
        code: 'uninterruptible',
        summary:
          `${nameOf(worker)} of ${facts.pool} waits inside the kernel (a disk, a network file system, a ` +
          `driver)${task === null ? '' : ` in ${taskName(task)}`}; no signal reaches it.`,
        evidence: [
          { what: `state of process ${worker.pid}`, value: 'D (uninterruptible)' },
          { what: 'looks in a row that saw it', value: String(stateSeenTimes) },
          { what: 'CPU time', value: `none for ${durationInWords(quietMs)}` },
          ...(worker.wait === null ? [] : [{ what: `${worker.name} waits for`, value: waitInWords(worker.wait) }]),
        ],
        advice:
          'Look at the device or the mount it waits for: until that answers, SIGKILL stays pending and the ' +
          'process cannot be ended.',
        confidence: 'likely',
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      },
    ]
  })
}
