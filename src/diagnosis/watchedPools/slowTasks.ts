import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { durationInWords } from '../words'
import { overdueTask } from './withoutProgress'
import { nameOf, taskName } from './phrases'

/** Over the threshold, but it moves: said, never flagged as stuck (facts: cause 24, false alarms under load). */
export function slowTasks(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const overdue = overdueTask(facts, worker)
    if (overdue?.quiet !== false) return []
    const { task } = overdue
    return [
      {
        code: 'slow',
        summary:
          `${taskName(task)} in ${nameOf(worker)} of ${facts.pool} has been running for ` +
          `${durationInWords(task.runningMs)} and is still working.`,
        evidence: [
          { what: `CPU time in the last ${durationInWords(worker.watchedMs)}`, value: durationInWords(worker.cpuMs) },
        ],
        advice: 'Wait, or raise stuckAfterMs if tasks of this kind take that long.',
        confidence: 'likely',
        stuck: false,
        worker: worker.name,
        pid: worker.pid,
        task: task.id,
        rescue: [],
      },
    ]
  })
}
