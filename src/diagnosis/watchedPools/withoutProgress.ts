import { stateEvidence } from '../evidence'
import { duration, message, sentences, type Message } from '../messages'
import { isQuiet } from '../quiet'
import type { EvidenceMessage } from '../verdict'
import { isAnythingAwaited, isBusy, isLive, isOpen } from './conditions'
import { whereEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, WaitFacts } from './facts'
import { ifKilled } from './ifKilled'
import { overdueTask } from './overdueTask'
import { nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'

/** Over the threshold, and no CPU time of the worker or its descendants for as long as a verdict needs. */
export function withoutProgress(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return [
    ...facts.workers.filter((worker) => isOverdueToStart(facts, worker)).map((worker) => neverStarted(facts, worker)),
    ...facts.workers.flatMap((worker): ProgramVerdict[] => {
      const overdue = overdueTask(facts, worker)
      if (overdue?.quiet !== true) return []
      const { task } = overdue
      return [
        programVerdict({
          code: 'no-progress',
          summary: message(
            '{0} in {1} of {2} has used no CPU for {3}.',
            taskName(task),
            nameOf(worker),
            facts.pool,
            duration(worker.quietMs),
          ),
          evidence: [
            { what: message('running for'), value: duration(task.runningMs) },
            ...quietEvidence(worker),
            ...whereEvidence(worker),
          ],
          advice: sentences(
            adviceFor(worker),
            ifKilled(facts, worker),
            message('Raise stuckAfterMs if waiting this long is normal.'),
          ),
          confidence: 'likely',
          stuck: true,
          worker: worker.name,
          pid: worker.pid,
          task: task.id,
          rescue: [],
        }),
      ]
    }),
  ]
}

function quietEvidence({ quietMs, pid, state }: ProgramWorkerFacts): EvidenceMessage[] {
  return [
    {
      what: message('CPU time, of anything below it as well'),
      value: message('none for {0}', duration(quietMs)),
    },
    stateEvidence(pid, state),
  ]
}

/** Connections of multiprocessing are Unix sockets, which the time limit of Python's sockets does not affect. */
function isOnThisMachine({ wchan }: WaitFacts, { stack }: ProgramWorkerFacts): boolean {
  return (
    wchan.startsWith('unix_') ||
    stack?.some(({ file }) => /[/\\]multiprocessing[/\\](connection|managers)\.py$/.test(file)) === true
  )
}

function isInSharedLock({ stack }: ProgramWorkerFacts): boolean {
  return stack?.some(({ file }) => /[/\\]multiprocessing[/\\](synchronize|queues)\.py$/.test(file)) === true
}

/** What an expert would look at first. */
function adviceFor(worker: ProgramWorkerFacts): Message {
  const { wait, quietMs } = worker
  switch (wait?.kind) {
    case 'socket-read':
    case 'socket-write':
      return isOnThisMachine(wait, worker)
        ? message(
            'It waits for another process on this machine, as a call of a multiprocessing.Manager does, which has no ' +
              'time limit: see what that one is doing.',
          )
        : message(
            'It waits for the other side of a connection: give the call a time limit (timeout=…, or ' +
              'socket.setdefaulttimeout()).',
          )
    case 'child':
      return message(
        'It waits for a process that it started: see what that one waits for, and give wait() or communicate() a ' +
          'timeout.',
      )
    case 'sleep':
      return message('It sleeps: its stack shows where.')
    case 'pipe-read':
      if (wait.descriptor === 0)
        return message('It waits for input: a task of a pool cannot ask the user, let the program do that.')
      break
    case 'futex':
      if (!wait.isPrivate && isInSharedLock(worker))
        return message(
          'It waits for a lock, an event or a queue of the program: whoever holds it or was to bring something may ' +
            'be waiting as well, or be gone.',
        )
      break
    default:
  }
  return message('It has waited for {0} so far: its stack shows for what.', duration(quietMs))
}

/** In its initializer, or in the import of its main module: no other worker takes its place, and a call may wait. */
function isOverdueToStart(facts: ProgramPoolFacts, worker: ProgramWorkerFacts): boolean {
  const { phase, ageMs, quietMs } = worker
  return (
    isLive(worker) &&
    phase === 'starting' &&
    isOpen(facts) &&
    isAnythingAwaited(facts) &&
    !facts.workers.some(isBusy) &&
    ageMs >= facts.stuckAfterMs &&
    isQuiet({ quietMs, stuckAfterMs: facts.stuckAfterMs })
  )
}

function neverStarted(facts: ProgramPoolFacts, worker: ProgramWorkerFacts): ProgramVerdict {
  return programVerdict({
    code: 'no-progress',
    summary: message(
      '{0} of {1} has not asked for its first task, and has used no CPU for {2}.',
      nameOf(worker),
      facts.pool,
      duration(worker.quietMs),
    ),
    evidence: [
      { what: message('started'), value: message('{0} ago', duration(worker.ageMs)) },
      ...quietEvidence(worker),
      ...whereEvidence(worker),
    ],
    advice: message(
      'Its initializer waits, or what is imported before: see what for, and give that a time limit; raise ' +
        'stuckAfterMs if starting takes this long.',
    ),
    confidence: 'likely',
    stuck: true,
    worker: worker.name,
    pid: worker.pid,
    task: null,
    rescue: [],
  })
}
