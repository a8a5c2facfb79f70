import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { isLive } from './conditions'
import { nameOf, taskName } from './phrases'

/**
 * A profiler or a debugger stops a process for a moment to look at it, perhaps again and again: only one that has not
 * run between two looks stays stopped. These come as close together as a tenth of a second, and to write all stacks
 * down takes longer.
 */
const staysStoppedMs = 500

/** State T: nothing moves until somebody continues it (facts: cause 12). */
export function stoppedProcesses(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent } = facts
  const ofParent: ProgramVerdict[] =
    parent.state === 'stopped' && parent.stoppedMs >= staysStoppedMs
      ? [
          {
            code: 'stopped',
            summary:
              `The program of ${facts.pool} (pid ${parent.pid}) is stopped (SIGSTOP, Ctrl-Z or a debugger): nobody ` +
              'hands out tasks or takes results.',
            evidence: [{ what: `state of process ${parent.pid}`, value: 'T (stopped)' }],
            advice: `Continue it with "fg" in its terminal, or "kill -CONT ${parent.pid}".`,
            confidence: 'certain',
            stuck: true,
            worker: null,
            pid: parent.pid,
            task: null,
            rescue: [],
          },
        ]
      : []
  const ofWorkers = facts.workers.flatMap((worker): ProgramVerdict[] => {
    if (!isLive(worker) || worker.state !== 'stopped' || worker.stoppedMs < staysStoppedMs) return []
    const { task, holds, phase } = worker
    const effect =
      task !== null
        ? `${taskName(task)} cannot go on`
        : holds.length > 0
          ? 'the other workers wait for a lock that it holds'
          : 'it takes no tasks'
    return [
      {
        code: 'stopped',
        summary: `${nameOf(worker)} of ${facts.pool} is stopped (SIGSTOP or a debugger), so ${effect}.`,
        evidence: [
          { what: `state of process ${worker.pid}`, value: 'T (stopped)' },
          ...(holds.length === 0 ? [] : [{ what: 'queue locks that it holds', value: holds.join(', ') }]),
        ],
        advice: `Rescue: continue ${worker.name} (SIGCONT).`,
        confidence: 'certain',
        // Others do the work of an idle one.
        stuck: phase !== 'idle' || task !== null || holds.length > 0,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [{ kind: 'continue', worker: worker.name, pid: worker.pid }],
      },
    ]
  })
  return [...ofParent, ...ofWorkers]
}
