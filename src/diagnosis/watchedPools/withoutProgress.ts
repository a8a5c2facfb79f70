import type { ProgramPoolFacts, ProgramTaskFacts, ProgramVerdict, ProgramWorkerFacts, WaitFacts } from './facts'
import { isQuiet } from '../ownPools/noProgress'
import { durationInWords } from '../words'
import { isAnythingAwaited, isBusy, isLive, isOpen, isWriting } from './conditions'
import { ifKilled, nameOf, taskName, whereEvidence } from './phrases'

/** A task that is over the threshold in a live worker, which has moved of late, or has not. */
export function overdueTask(
  facts: ProgramPoolFacts,
  worker: ProgramWorkerFacts,
): { readonly task: ProgramTaskFacts; readonly quiet: boolean } | undefined {
  const { task, quietMs, wait, waitsMs } = worker
  if (task === null || !isLive(worker) || task.runningMs < facts.stuckAfterMs) return undefined
  // Its result goes as fast as the program takes it, and that one is busy.
  if (task.sending && !facts.parent.answers) return undefined
  // To be let on by a slow reader costs no CPU time that could be seen.
  return {
    task,
    quiet: isQuiet({
      quietMs: isWriting(wait) ? Math.min(quietMs, waitsMs) : quietMs,
      stuckAfterMs: facts.stuckAfterMs,
    }),
  }
}

/** Connections of multiprocessing are Unix sockets, on which a time limit of Python's sockets has no effect. */
function isOnThisMachine({ wchan }: WaitFacts, stack: ProgramWorkerFacts['stack']): boolean {
  return (
    wchan.startsWith('unix_') ||
    stack?.some(({ file }) => /[/\\]multiprocessing[/\\](connection|managers)\.py$/.test(file)) === true
  )
}

/** What an expert would look at first. */
function adviceFor({ wait, stack, quietMs }: ProgramWorkerFacts): string {
  switch (wait?.kind) {
    case 'socket-read':
    case 'socket-write':
      if (isOnThisMachine(wait, stack))
        return (
          'It waits for another process on this machine, as a call of a multiprocessing.Manager does, which has no ' +
          'time limit: see what that one is doing.'
        )
      return (
        'It waits for the other side of a connection: give the call a time limit (timeout=…, or ' +
        'socket.setdefaulttimeout()).'
      )
    case 'child':
      return (
        'It waits for a process that it started: see what that one waits for, and give wait() or ' +
        'communicate() a timeout.'
      )
    case 'sleep':
      return 'It sleeps: its stack shows where.'
    case 'pipe-read':
      if (wait.descriptor === 0)
        return 'It waits for input: a task of a pool cannot ask the user, let the program do that.'
      break
    case 'futex':
      if (
        !wait.isPrivate &&
        stack?.some(({ file }) => /[/\\]multiprocessing[/\\](synchronize|queues)\.py$/.test(file)) === true
      )
        return (
          'It waits for a lock, an event or a queue of the program: whoever holds it or was to bring something may ' +
          'be waiting as well, or be gone.'
        )
      break
    default:
  }
  return `It has waited for ${durationInWords(quietMs)} so far: its stack shows for what.`
}

/** Over the threshold, and no CPU time of the worker or anything below it for as long as a verdict needs. */
export function withoutProgress(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return [
    ...facts.workers.filter((worker) => isOverdueToStart(facts, worker)).map((worker) => neverStarted(facts, worker)),
    ...facts.workers.flatMap((worker): ProgramVerdict[] => {
      const overdue = overdueTask(facts, worker)
      if (overdue?.quiet !== true) return []
      const { task } = overdue
      return [
        {
          code: 'no-progress',
          summary:
            `${taskName(task)} in ${nameOf(worker)} of ${facts.pool} has used no CPU for ` +
            `${durationInWords(worker.quietMs)}.`,
          evidence: [
            { what: 'running for', value: durationInWords(task.runningMs) },
            { what: 'CPU time, of anything below it as well', value: `none for ${durationInWords(worker.quietMs)}` },
            { what: `state of process ${worker.pid}`, value: worker.state },
            ...whereEvidence(worker),
          ],
          advice: `${adviceFor(worker)} ${ifKilled(facts, worker)} Raise stuckAfterMs if waiting this long is normal.`,
          confidence: 'likely',
          stuck: true,
          worker: worker.name,
          pid: worker.pid,
          task: task.id,
          rescue: [],
        },
      ]
    }),
  ]
}

/**
 * In its initializer, or in what its main module does when it is imported: nobody else takes its place, and a call may
 * wait for it.
 */
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
  return {
    code: 'no-progress',
    summary:
      `${nameOf(worker)} of ${facts.pool} has not asked for its first task, and has used no CPU for ` +
      `${durationInWords(worker.quietMs)}.`,
    evidence: [
      { what: 'started', value: `${durationInWords(worker.ageMs)} ago` },
      { what: 'CPU time, of anything below it as well', value: `none for ${durationInWords(worker.quietMs)}` },
      { what: `state of process ${worker.pid}`, value: worker.state },
      ...whereEvidence(worker),
    ],
    advice:
      'Its initializer waits, or what is imported before: see what for, and give that a time limit; raise ' +
      'stuckAfterMs if starting takes this long.',
    confidence: 'likely',
    stuck: true,
    worker: worker.name,
    pid: worker.pid,
    task: null,
    rescue: [],
  }
}
