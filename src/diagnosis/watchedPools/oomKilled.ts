import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { durationInWords } from '../words'
import { exitEvidence, isOomKill, nameOf, taskName } from './phrases'

/**
 * The kernel ended a worker because memory ran out (facts: cause 3). The number 137 alone proves nothing: it takes a
 * SIGKILL that is not ours, and the kernel's own count. It explains; what waits because of it is told as `lost-task`.
 */
export function oomKilled({ pool, workers, parent }: ProgramPoolFacts): readonly ProgramVerdict[] {
  return workers.flatMap((worker) => {
    const { exit, task } = worker
    if (exit === null || !isOomKill(exit)) return []
    const during = task === null ? '' : ` during ${taskName(task)}`
    return [
      {
        code: 'oom-killed' as const,
        summary:
          `${nameOf(worker)} of ${pool} ran out of memory${during}: the kernel ended it after ` +
          `${durationInWords(exit.livedMs)}.`,
        evidence: exitEvidence(worker, exit),
        advice:
          'Let fewer workers run at a time, give them smaller tasks, or raise the memory limit of the program (pid ' +
          `${parent.pid}).`,
        // The count may be of somebody else in the same control group, or on the machine.
        confidence: 'likely' as const,
        stuck: false,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      },
    ]
  })
}
