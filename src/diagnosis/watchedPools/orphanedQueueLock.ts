import { message, results, sentences, tasks, type Message, type Text } from '../messages'
import {
  executorNoticesMs,
  isAnythingQueued,
  isBusy,
  isExecutor,
  isOpen,
  isPool,
  itemsLeft,
  liveWorkers,
  mayBeEnding,
  quietEnoughMs,
} from './conditions'
import { exitEvidence, lockWaitEvidence, parentEvidence } from './poolEvidence'
import type { ProgramExitFacts, ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { ended, nameOf } from './phrases'
import { programVerdict } from './programVerdict'
import { queueLockWithoutHolder } from './queueLockWithoutHolder'

type Lock = 'tasks' | 'results'

/**
 * A worker died while it held a lock of the pool's queues, which is never released (cause 1 in README.md). The proof is
 * the note of the dead worker; without one, that all workers wait for one lock without a holder.
 */
export function orphanedQueueLock(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const proven = (['tasks', 'results'] as const).flatMap((lock) => heldByDead(facts, lock))
  return proven.length > 0 ? proven : queueLockWithoutHolder(facts)
}

function heldByDead(facts: ProgramPoolFacts, lock: Lock): readonly ProgramVerdict[] {
  if (!isPool(facts) || facts.locks[lock] === 'free' || isHeldByLive(facts, lock)) return []
  // An older note is of a worker that ended between releasing the lock and noting that.
  const holder = facts.workers
    .filter(({ exit, holds }) => exit !== null && holds.includes(lock))
    .sort((a, b) => (a.exit?.agoMs ?? 0) - (b.exit?.agoMs ?? 0))[0]
  const exit = holder?.exit
  if (!exit || !matters(facts, exit)) return []

  const waiting = waitingFor(facts, lock)
  const stuck = isStuck(facts, lock, waiting.length)
  const name = lock === 'tasks' ? message('the lock of the task queue') : message('the lock of the result queue')
  const { answers } = facts.parent
  return [
    programVerdict({
      code: 'orphaned-queue-lock',
      summary: summaryOf(facts, lock, name, ended(nameOf(holder), exit), stuck),
      evidence: [
        { what: message('flight recorder'), value: message('{0} held {1} when it ended', nameOf(holder), name) },
        ...exitEvidence(holder, exit),
        {
          what: name,
          value:
            facts.locks[lock] === 'taken'
              ? message('taken, and nobody alive holds it')
              : message('state unknown; nobody alive has noted that it holds it'),
        },
        ...lockWaitEvidence(waiting),
        ...parentEvidence(facts),
      ],
      advice: adviceFor(facts, lock),
      confidence: answers && (facts.locks[lock] === 'taken' || waiting.length > 0) ? 'certain' : 'likely',
      stuck,
      worker: holder.name,
      pid: holder.pid,
      task: null,
      rescue: answers ? [{ kind: 'lock', lock, worker: holder.name, pid: holder.pid }] : [],
    }),
  ]
}

function summaryOf(facts: ProgramPoolFacts, lock: Lock, name: Message, end: Message, stuck: boolean): Message {
  const effect = lock === 'tasks' ? message('no worker can take a task') : message('no worker can send a result')
  return stuck
    ? message(
        '{0} will wait for ever: {1} while it held {2}, so {3}; {4}.',
        facts.pool,
        end,
        name,
        effect,
        workInWords(facts, lock),
      )
    : message('{0} is idle, but can do nothing more: {1} while it held {2}, so {3}.', facts.pool, end, name, effect)
}

function workInWords(facts: ProgramPoolFacts, lock: Lock): Message {
  if (!isOpen(facts)) return message('terminate() waits for that lock')
  const { queued } = facts
  return lock === 'tasks' && queued !== null && queued > 0
    ? message('{0} queued', tasks(queued))
    : message('{0} not arrived', results(itemsLeft(facts)))
}

function adviceFor({ parent }: ProgramPoolFacts, lock: Lock): Text {
  return parent.answers
    ? sentences(
        message('Rescue: release the lock, so that the other workers go on.'),
        lock === 'results' ? message('A result that it had written half is lost.') : '',
      )
    : message('The program does not answer at the moment: the lock can be released when it does.')
}

/**
 * While the pool works; and when `terminate()` itself waits for the lock, which it takes without a limit
 * (`_help_stuff_finish` in CPython Lib/multiprocessing/pool.py).
 */
function matters(facts: ProgramPoolFacts, exit: ProgramExitFacts): boolean {
  const { state, parent } = facts
  const { agoMs } = exit
  if (isOpen(facts)) return !mayBeEnding(facts, exit) && (!isExecutor(facts) || agoMs >= executorNoticesMs)
  // With the lock, terminate() ends all workers, the holder as well, and waits for their exits: that may take a while.
  const isAtLock =
    parent.wait === null || (parent.wait.kind === 'futex' && !parent.wait.isPrivate && !parent.wait.timed)
  return (
    state === 'terminate' &&
    !isExecutor(facts) &&
    isAtLock &&
    agoMs >= quietEnoughMs &&
    parent.quietMs >= quietEnoughMs &&
    /terminate|__exit__/.test(parent.waitsIn ?? '')
  )
}

function isHeldByLive(facts: ProgramPoolFacts, lock: Lock): boolean {
  return liveWorkers(facts).some(
    ({ holds, wait, phase }) =>
      holds.includes(lock) ||
      (lock === 'tasks'
        ? phase !== 'running' && phase !== 'sending' && wait?.kind === 'pipe-read'
        : phase === 'sending' && wait?.kind === 'pipe-write'),
  )
}

/** Workers that wait for it now. */
function waitingFor(facts: ProgramPoolFacts, lock: Lock): readonly ProgramWorkerFacts[] {
  return liveWorkers(facts).filter(
    ({ phase, wait }) =>
      (lock === 'tasks' ? phase === 'idle' : phase === 'sending') && wait?.kind === 'futex' && !wait.isPrivate,
  )
}

function isStuck(facts: ProgramPoolFacts, lock: Lock, waiting: number): boolean {
  if (!isOpen(facts)) return true
  if (lock === 'results') return waiting > 0 || itemsLeft(facts) > 0
  return isAnythingQueued(facts) || (itemsLeft(facts) > 0 && !facts.workers.some(isBusy))
}
