import type {
  ProgramExitFacts,
  ProgramPoolFacts,
  ProgramTaskFacts,
  ProgramVerdict,
  ProgramWorkerFacts,
  RescueOption,
} from './facts'
import type { Evidence } from '../verdict'
import { durationInWords } from '../words'
import {
  certainIfAnswers,
  executorNoticesMs,
  isBusy,
  isExecutor,
  isOpen,
  isPool,
  mayBeEnding,
  quietEnoughMs,
  waitsForNothing,
} from './conditions'
import {
  arrivedOf,
  callWords,
  count,
  endedHow,
  exitEvidence,
  isOomKill,
  list,
  nameOf,
  parentEvidence,
  taskName,
} from './phrases'

/** More lost tasks than this are told in one verdict: a list of hundreds helps nobody. */
const mostSingly = 5
/**
 * billiard waits so long for a result that may still be in the pipe, and then fails the task itself
 * (LOST_WORKER_TIMEOUT), with time to do it.
 */
const billiardNoticesMs = 12_000

interface LostTask {
  readonly worker: ProgramWorkerFacts
  readonly exit: ProgramExitFacts
  readonly task: ProgramTaskFacts
}

/**
 * Workers that ended with a task in flight, whatever their exit code: the pool replaces them, but the result never
 * comes (facts: causes 3 and 4; CPython's pool keeps no record of who has which task).
 */
export function lostTasks(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const lost = facts.workers.flatMap((worker) => {
    const { exit, task } = worker
    return exit !== null && task !== null && isLost(facts, exit, task) ? [{ worker, exit, task }] : []
  })
  // What billiard has lost it has failed by itself long before anything was too much for a list.
  const unlisted = facts.library === 'billiard' || lost.length === 0 ? 0 : facts.unlistedLosses
  return lost.length + unlisted > mostSingly
    ? [together(facts, lost, unlisted)]
    : lost.map((one) => verdictOn(facts, one))
}

function isLost(facts: ProgramPoolFacts, exit: ProgramExitFacts, task: ProgramTaskFacts): boolean {
  if (!isPool(facts) || !isOpen(facts) || task.rescued || task.awaited === false) return false
  if (mayBeEnding(facts, exit)) return false
  if (isExecutor(facts) && exit.agoMs < executorNoticesMs) return false
  return !task.sending || resultDidNotArrive(facts)
}

/**
 * It was writing its result when it ended: only a pool that has nothing else to do and still waits proves that it is
 * missing.
 */
function resultDidNotArrive(facts: ProgramPoolFacts): boolean {
  return !facts.workers.some(isBusy) && waitsForNothing(facts, quietEnoughMs)
}

function verdictOn(facts: ProgramPoolFacts, { worker, exit, task }: LostTask): ProgramVerdict {
  const selfHealing = facts.library === 'billiard' && exit.agoMs < billiardNoticesMs
  const arrived = arrivedInWords(facts, [task.job])
  return {
    code: 'lost-task',
    summary:
      `${opening(facts, selfHealing)} ${taskName(task)} was lost when ${nameOf(worker)} ${endedHow(exit)} after ` +
      `${durationInWords(task.runningMs)}${because(exit)}${arrived === '' ? '' : `; ${arrived}`}.`,
    evidence: [
      ...exitEvidence(worker, exit),
      {
        what: 'flight recorder',
        value:
          `it ${task.sending ? 'was sending the result of' : 'was running'} ` +
          `${taskName(task)}${task.items > 1 ? ` (${count(task.items, 'item')})` : ''} when it ended`,
      },
      ...callEvidence(facts, [task.job]),
      ...parentEvidence(facts),
    ],
    advice: `${advice(facts, exit, task)}${selfHealing ? ' billiard fails the task itself some 10 s after its worker has ended.' : ''}`,
    confidence: task.sending ? 'likely' : certainIfAnswers(facts),
    stuck: !selfHealing,
    worker: worker.name,
    pid: worker.pid,
    task: task.id,
    rescue: rescueOf(facts, [{ worker, exit, task }]),
  }
}

function together(facts: ProgramPoolFacts, lost: readonly LostTask[], unlisted: number): ProgramVerdict {
  const oomKilled = lost.filter(({ exit }) => isOomKill(exit)).length
  const retriable = lost.filter(({ task }) => task.retriable).length
  const selfHealing = facts.library === 'billiard' && lost.every(({ exit }) => exit.agoMs < billiardNoticesMs)
  const jobs = [...new Set(lost.map(({ task }) => task.job))]
  const arrived = arrivedInWords(facts, jobs)
  return {
    code: 'lost-task',
    summary: `${opening(facts, selfHealing)} ${lost.length + unlisted} tasks were lost with the workers that ran them (${list(
      lost.map(({ task }) => taskName(task)),
      3,
    )}): ${exitsInWords(lost)}${unlisted > 0 ? `, ${unlisted} are only counted` : ''}${oomKilled > 0 ? ` (out of memory: ${oomKilled})` : ''}${arrived === '' ? '' : `; ${arrived}`}.`,
    evidence: [
      ...lost.slice(0, 20).map(({ worker, exit, task }) => ({
        what: taskName(task),
        value: `${nameOf(worker)} ${endedHow(exit)} after ${durationInWords(task.runningMs)}`,
      })),
      ...(lost.length > 20 ? [{ what: 'and further tasks', value: String(lost.length - 20) }] : []),
      ...(unlisted > 0
        ? [
            {
              what: 'and tasks that are only counted: too many for a list, and out of reach of a rescue',
              value: String(unlisted),
            },
          ]
        : []),
      ...callEvidence(facts, jobs),
      ...parentEvidence(facts),
    ],
    advice: facts.parent.answers
      ? `Rescue: fail the tasks (the calls raise WorkerLost)${retriable > 0 ? `, or run ${retriable === lost.length ? 'them' : `${retriable} of them`} again` : ''}.`
      : noRescue,
    confidence: lost.some(({ task }) => task.sending) ? 'likely' : certainIfAnswers(facts),
    stuck: !selfHealing,
    worker: null,
    pid: null,
    task: null,
    rescue: rescueOf(facts, lost),
  }
}

/** `29 exited with code 1, 1 was ended by SIGKILL`, the most frequent first. */
function exitsInWords(lost: readonly LostTask[]): string {
  const counts = new Map<string, number>()
  for (const { exit } of lost) counts.set(endedHow(exit), (counts.get(endedHow(exit)) ?? 0) + 1)
  return list(
    [...counts].sort(([, one], [, other]) => other - one).map(([how, number]) => `${number} ${how}`),
    3,
  )
}

/** Whether the main thread was seen waiting, or waits for all we know. */
function opening({ pool, parent }: ProgramPoolFacts, selfHealing: boolean): string {
  return selfHealing || (parent.waitsIn === null && parent.answers)
    ? `${pool} waits in vain for a result:`
    : `${pool} will wait for ever:`
}

function because(exit: ProgramExitFacts): string {
  if (exit.endedByUs !== null) return ` (by us: ${exit.endedByUs.reason}, asked by ${exit.endedByUs.askedBy})`
  return isOomKill(exit) ? ' (out of memory: the kernel ended it)' : ''
}

function arrivedInWords({ jobs }: ProgramPoolFacts, ids: readonly number[]): string {
  return arrivedOf(jobs.filter(({ job }) => ids.includes(job)))
}

function callEvidence({ jobs }: ProgramPoolFacts, ids: readonly number[]): Evidence[] {
  return jobs
    .filter(({ job }) => ids.includes(job))
    .slice(0, 5)
    .map(callWords)
}

const noRescue = 'The program does not answer at the moment: a rescue has to wait until it does.'

function advice(facts: ProgramPoolFacts, exit: ProgramExitFacts, task: ProgramTaskFacts): string {
  const call = facts.jobs.find(({ job }) => job === task.job)?.call
  const rescue = facts.parent.answers
    ? `Rescue: fail the task (${call === undefined ? 'the call' : `${call}()`} raises ` +
      `WorkerLost)${task.retriable ? ' or run it again' : ''}.`
    : noRescue
  return isOomKill(exit) ? `${rescue} Let fewer workers run at a time, or give them less to hold in memory.` : rescue
}

function rescueOf({ parent }: ProgramPoolFacts, lost: readonly LostTask[]): RescueOption[] {
  if (!parent.answers) return []
  return lost.map(({ worker, task }) => ({
    kind: 'task',
    worker: worker.name,
    pid: worker.pid,
    task: task.id,
    label: task.label,
    retriable: task.retriable,
  }))
}
