import type { ProgramPoolFacts, ProgramVerdict } from '../program-facts'
import { isPool, quietEnoughMs } from './conditions'
import { nameOf, taskName } from './words'

/** A pool collects its dead every tenth of a second. */
const looksAsZombie = 3

/**
 * State Z: dead, but not collected by its parent; kill(pid, 0) still succeeds (facts: cause 14). A program may collect its own
 * Processes as late as it likes, so that those are only told of while nothing else moves.
 */
export function zombie(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, stuckAfterMs } = facts
  if (parent.quietMs < (isPool(facts) ? quietEnoughMs : stuckAfterMs)) return []
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { task } = worker
    if (worker.state !== 'zombie' || worker.exit !== null || worker.stateSeenTimes < looksAsZombie) return []
    return [{
      code: 'zombie',
      summary: `${nameOf(worker)} of ${facts.pool} is dead but was not collected by its program${task === null ? '' : `, so ${taskName(task)} will not be answered`}.`,
      evidence: [
        { what: `state of process ${worker.pid}`, value: 'Z (zombie)' },
        { what: `the program (pid ${parent.pid})`, value: 'has not waited for it' },
      ],
      advice: `Nothing can be signalled any more; it goes when the program (pid ${parent.pid}) collects it or ends.`,
      confidence: 'certain',
      stuck: task !== null && task.awaited !== false,
      worker: worker.name, pid: worker.pid, task: task?.id ?? null, rescue: [],
    }]
  })
}
