import type { ProgramPoolFacts, ProgramTaskFacts, ProgramVerdict, ProgramWorkerFacts } from '../program-facts'
import { isQuiet } from '../rules/no-progress'
import { durationInWords } from '../words'
import { isLive } from './conditions'
import { nameOf, taskName, whereEvidence } from './words'

/** A task that is over the threshold in a live worker, which has moved of late, or has not. */
export function overdueTask(facts: ProgramPoolFacts, worker: ProgramWorkerFacts): { readonly task: ProgramTaskFacts; readonly quiet: boolean } | undefined {
  const { task, quietMs } = worker
  if (task === null || !isLive(worker) || task.runningMs < facts.stuckAfterMs) return undefined
  // Its result goes as fast as the program takes it, and that one is busy.
  if (task.sending && !facts.parent.answers) return undefined
  return { task, quiet: isQuiet({ quietMs, stuckAfterMs: facts.stuckAfterMs }) }
}

/** Over the threshold, and no CPU time of the worker or anything below it for as long as a verdict needs. */
export function noProgress(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const overdue = overdueTask(facts, worker)
    if (overdue?.quiet !== true) return []
    const { task } = overdue
    return [{
      code: 'no-progress',
      summary: `${taskName(task)} in ${nameOf(worker)} of ${facts.pool} has used no CPU for ${durationInWords(worker.quietMs)}.`,
      evidence: [
        { what: 'running for', value: durationInWords(task.runningMs) },
        { what: 'CPU time, of anything below it as well', value: `none for ${durationInWords(worker.quietMs)}` },
        { what: `state of process ${worker.pid}`, value: worker.state },
        ...whereEvidence(worker),
      ],
      advice: `It waits for something that does not come: its stack shows for what. Killing ${worker.name} loses the task, which a rescue can then fail${task.retriable ? ' or run again' : ''}; raise stuckAfterMs if waiting this long is normal.`,
      confidence: 'likely',
      stuck: true, worker: worker.name, pid: worker.pid, task: task.id, rescue: [],
    }]
  })
}
