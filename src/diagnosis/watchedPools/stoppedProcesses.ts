import { stoppedEvidence } from '../evidence'
import { commaSeparated, message, type Message } from '../messages'
import { isLive } from './conditions'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'

/**
 * A profiler or a debugger stops a process for moments, perhaps repeatedly: only a process that has not run between two
 * samples stays stopped. Samples are a tenth of a second apart at least, and reading all stacks takes longer than that.
 */
const staysStoppedMs = 500

/** State T: nothing moves until the process is continued (cause 12 in README.md). */
export function stoppedProcesses(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return [...stoppedProgram(facts), ...facts.workers.flatMap((worker) => stoppedWorker(facts, worker))]
}

function stoppedProgram({ pool, parent }: ProgramPoolFacts): ProgramVerdict[] {
  if (parent.state !== 'stopped' || parent.stoppedMs < staysStoppedMs) return []
  return [
    programVerdict({
      code: 'stopped',
      summary: message(
        'The program of {0} (pid {1}) is stopped (SIGSTOP, Ctrl-Z or a debugger): nobody hands out tasks or takes ' +
          'results.',
        pool,
        parent.pid,
      ),
      evidence: [stoppedEvidence(parent.pid)],
      advice: message('Continue it with "fg" in its terminal, or "kill -CONT {0}".', parent.pid),
      confidence: 'certain',
      stuck: true,
      worker: null,
      pid: parent.pid,
      task: null,
      rescue: [],
    }),
  ]
}

function stoppedWorker(facts: ProgramPoolFacts, worker: ProgramWorkerFacts): ProgramVerdict[] {
  if (!isLive(worker) || worker.state !== 'stopped' || worker.stoppedMs < staysStoppedMs) return []
  const { task, holds, phase } = worker
  return [
    programVerdict({
      code: 'stopped',
      summary: message(
        '{0} of {1} is stopped (SIGSTOP or a debugger), so {2}.',
        nameOf(worker),
        facts.pool,
        effectOf(worker),
      ),
      evidence: [
        stoppedEvidence(worker.pid),
        ...(holds.length === 0
          ? []
          : [
              {
                what: message('queue locks that it holds'),
                value: commaSeparated(holds.map((lock) => (lock === 'tasks' ? message('tasks') : message('results')))),
              },
            ]),
      ],
      advice: message('Rescue: continue {0} (SIGCONT).', worker.name),
      confidence: 'certain',
      // The other workers do the work of an idle one.
      stuck: phase !== 'idle' || task !== null || holds.length > 0,
      worker: worker.name,
      pid: worker.pid,
      task: task?.id ?? null,
      rescue: [{ kind: 'continue', worker: worker.name, pid: worker.pid }],
    }),
  ]
}

function effectOf({ task, holds }: ProgramWorkerFacts): Message {
  if (task !== null) return message('{0} cannot go on', taskName(task))
  return holds.length > 0 ? message('the other workers wait for a lock that it holds') : message('it takes no tasks')
}
