import { duration, inEnglish, items, list, message, sentences, type Text } from '../messages'
import {
  certainIfAnswers,
  executorNoticesMs,
  isBusy,
  isExecutor,
  isOomKill,
  isOpen,
  isPool,
  mayBeEnding,
  quietEnoughMs,
  waitsForNothing,
} from './conditions'
import { callEvidence, exitEvidence, parentEvidence } from './poolEvidence'
import type {
  JobFacts,
  ProgramExitFacts,
  ProgramPoolFacts,
  ProgramTaskFacts,
  ProgramVerdict,
  ProgramWorkerFacts,
  RescueOption,
} from './facts'
import { ended, nameOf, taskName, withArrived } from './phrases'
import { programVerdict } from './programVerdict'

/** More lost tasks than this share one verdict: a list of hundreds is unreadable. */
const mostSingly = 5
/** Tasks that the evidence of a shared verdict lists. */
const mostListed = 20
/**
 * billiard waits 10 s for a result that may still be in the pipe, then fails the task (LOST_WORKER_TIMEOUT in
 * billiard/pool.py); 2 s more for doing so.
 */
const billiardNoticesMs = 12_000

interface LostTask {
  readonly worker: ProgramWorkerFacts
  readonly exit: ProgramExitFacts
  readonly task: ProgramTaskFacts
}

/**
 * Workers that ended with a task in flight, whatever their exit code: the pool replaces them, but the result never
 * comes, as CPython's pool does not record which worker has which task (causes 3 and 4 in README.md).
 */
export function lostTasks(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const lost = facts.workers.flatMap((worker) => {
    const { exit, task } = worker
    return exit !== null && task !== null && isLost(facts, exit, task) ? [{ worker, exit, task }] : []
  })
  // billiard fails its lost tasks long before there are too many for a list.
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

/** For a worker that ended while it wrote its result: only an otherwise idle pool that still waits proves the loss. */
function resultDidNotArrive(facts: ProgramPoolFacts): boolean {
  return !facts.workers.some(isBusy) && waitsForNothing(facts, quietEnoughMs)
}

function verdictOn(facts: ProgramPoolFacts, lost: LostTask): ProgramVerdict {
  const { worker, exit, task } = lost
  const isSelfHealing = facts.library === 'billiard' && exit.agoMs < billiardNoticesMs
  const jobs = facts.jobs.filter(({ job }) => job === task.job)
  return programVerdict({
    code: 'lost-task',
    summary: withArrived(waitsInVain(facts, isSelfHealing, lossInWords(lost)), jobs),
    evidence: [...exitEvidence(worker, exit), recorderEvidence(task), ...callEvidence(jobs), ...parentEvidence(facts)],
    advice: sentences(
      rescueAdvice(facts, task, jobs),
      isOomKill(exit) ? message('Let fewer workers run at a time, or give them less to hold in memory.') : '',
      isSelfHealing ? message('billiard fails the task itself some 10 s after its worker has ended.') : '',
    ),
    confidence: task.sending ? 'likely' : certainIfAnswers(facts),
    stuck: !isSelfHealing,
    worker: worker.name,
    pid: worker.pid,
    task: task.id,
    rescue: rescueOf(facts, [lost]),
  })
}

function recorderEvidence(task: ProgramTaskFacts): { readonly what: Text; readonly value: Text } {
  const name = task.items > 1 ? message('{0} ({1})', taskName(task), items(task.items)) : taskName(task)
  return {
    what: message('flight recorder'),
    value: task.sending
      ? message('it was sending the result of {0} when it ended', name)
      : message('it was running {0} when it ended', name),
  }
}

function together(facts: ProgramPoolFacts, lost: readonly LostTask[], unlisted: number): ProgramVerdict {
  const isSelfHealing = facts.library === 'billiard' && lost.every(({ exit }) => exit.agoMs < billiardNoticesMs)
  const ids = new Set(lost.map(({ task }) => task.job))
  const jobs = facts.jobs.filter(({ job }) => ids.has(job))
  return programVerdict({
    code: 'lost-task',
    summary: withArrived(waitsInVain(facts, isSelfHealing, lossesInWords(lost, unlisted)), jobs),
    evidence: [
      ...lost.slice(0, mostListed).map(({ worker, exit, task }) => ({
        what: taskName(task),
        value: message('{0} after {1}', ended(nameOf(worker), exit), duration(task.runningMs)),
      })),
      ...(lost.length > mostListed ? [{ what: message('and further tasks'), value: lost.length - mostListed }] : []),
      ...(unlisted > 0
        ? [
            {
              what: message('and tasks that are only counted: too many for a list, and out of reach of a rescue'),
              value: unlisted,
            },
          ]
        : []),
      ...callEvidence(jobs),
      ...parentEvidence(facts),
    ],
    advice: rescueAllAdvice(facts, lost),
    confidence: lost.some(({ task }) => task.sending) ? 'likely' : certainIfAnswers(facts),
    stuck: !isSelfHealing,
    worker: null,
    pid: null,
    task: null,
    rescue: rescueOf(facts, lost),
  })
}

/** Certain where the main thread was seen waiting, or does not answer. */
function waitsInVain({ pool, parent }: ProgramPoolFacts, isSelfHealing: boolean, loss: Text): Text {
  return isSelfHealing || (parent.waitsIn === null && parent.answers)
    ? message('{0} waits in vain for a result: {1}', pool, loss)
    : message('{0} will wait for ever: {1}', pool, loss)
}

function lossInWords({ worker, exit, task }: LostTask): Text {
  const { endedByUs } = exit
  const loss = message(
    '{0} was lost when {1} after {2}',
    taskName(task),
    ended(nameOf(worker), exit),
    duration(task.runningMs),
  )
  if (endedByUs !== null) return message('{0} (by us: {1}, asked by {2})', loss, endedByUs.reason, endedByUs.askedBy)
  return isOomKill(exit) ? message('{0} (out of memory: the kernel ended it)', loss) : loss
}

function lossesInWords(lost: readonly LostTask[], unlisted: number): Text {
  const losses = message(
    '{0} tasks were lost with the workers that ran them ({1}): {2}',
    lost.length + unlisted,
    list(
      lost.map(({ task }) => taskName(task)),
      3,
    ),
    exitsInWords(lost),
  )
  const counted = unlisted > 0 ? message('{0}, {1} are only counted', losses, unlisted) : losses
  const oomKilled = lost.filter(({ exit }) => isOomKill(exit)).length
  return oomKilled > 0 ? message('{0} (out of memory: {1})', counted, oomKilled) : counted
}

/** `29 exited with code 1, 1 was ended by SIGKILL`, the most frequent first. */
function exitsInWords(lost: readonly LostTask[]): Text {
  const kinds = new Map<string, { readonly exit: ProgramExitFacts; number: number }>()
  for (const { exit } of lost) {
    const kind = inEnglish(ended('', exit))
    const known = kinds.get(kind)
    if (known === undefined) kinds.set(kind, { exit, number: 1 })
    else known.number += 1
  }
  return list(
    [...kinds.values()].sort((one, other) => other.number - one.number).map(({ exit, number }) => ended(number, exit)),
    3,
  )
}

const noRescue = message('The program does not answer at the moment: a rescue has to wait until it does.')

function rescueAdvice({ parent }: ProgramPoolFacts, task: ProgramTaskFacts, [job]: readonly JobFacts[]): Text {
  if (!parent.answers) return noRescue
  const call = job === undefined ? message('the call') : `${job.call}()`
  return task.retriable
    ? message('Rescue: fail the task ({0} raises WorkerLost) or run it again.', call)
    : message('Rescue: fail the task ({0} raises WorkerLost).', call)
}

function rescueAllAdvice({ parent }: ProgramPoolFacts, lost: readonly LostTask[]): Text {
  if (!parent.answers) return noRescue
  const retriable = lost.filter(({ task }) => task.retriable).length
  if (retriable === 0) return message('Rescue: fail the tasks (the calls raise WorkerLost).')
  return retriable === lost.length
    ? message('Rescue: fail the tasks (the calls raise WorkerLost), or run them again.')
    : message('Rescue: fail the tasks (the calls raise WorkerLost), or run {0} of them again.', retriable)
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
