import { duration, message } from '../messages'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { overdueTask } from './overdueTask'
import { nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'

/** Over the threshold, but it moves: reported, never as stuck (cause 24 in README.md, false alarms under load). */
export function slowTasks(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const overdue = overdueTask(facts, worker)
    if (overdue?.quiet !== false) return []
    const { task } = overdue
    return [
      programVerdict({
        code: 'slow',
        summary: message(
          '{0} in {1} of {2} has been running for {3} and is still working.',
          taskName(task),
          nameOf(worker),
          facts.pool,
          duration(task.runningMs),
        ),
        evidence: [
          { what: message('CPU time in the last {0}', duration(worker.watchedMs)), value: duration(worker.cpuMs) },
        ],
        advice: message('Wait, or raise stuckAfterMs if tasks of this kind take that long.'),
        confidence: 'likely',
        stuck: false,
        worker: worker.name,
        pid: worker.pid,
        task: task.id,
        rescue: [],
      }),
    ]
  })
}
