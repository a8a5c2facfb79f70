import { duration, message } from '../messages'
import { isOomKill } from './conditions'
import { exitEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'

/**
 * The kernel ended a worker because memory ran out (cause 3 in README.md). Exit code 137 alone proves nothing: the rule
 * needs a SIGKILL that is not ours and the kernel's own count. It explains; the call that waits is a `lost-task`.
 */
export function oomKilled({ pool, workers, parent }: ProgramPoolFacts): readonly ProgramVerdict[] {
  return workers.flatMap((worker) => {
    const { exit, task } = worker
    if (exit === null || !isOomKill(exit)) return []
    const lived = duration(exit.livedMs)
    return [
      programVerdict({
        code: 'oom-killed',
        summary:
          task === null
            ? message('{0} of {1} ran out of memory: the kernel ended it after {2}.', nameOf(worker), pool, lived)
            : message(
                '{0} of {1} ran out of memory during {2}: the kernel ended it after {3}.',
                nameOf(worker),
                pool,
                taskName(task),
                lived,
              ),
        evidence: exitEvidence(worker, exit),
        advice: message(
          'Let fewer workers run at a time, give them smaller tasks, or raise the memory limit of the program (pid ' +
            '{0}).',
          parent.pid,
        ),
        // The count includes every process of the control group, or of the machine.
        confidence: 'likely',
        stuck: false,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      }),
    ]
  })
}
