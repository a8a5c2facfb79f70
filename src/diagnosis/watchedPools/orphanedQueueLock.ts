import type { ProgramExitFacts, ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import type { Evidence, Verdict } from '../verdict'
import { durationInWords } from '../words'
import {
  executorNoticesMs,
  isAnythingAwaited,
  isAnythingQueued,
  isBusy,
  isExecutor,
  isOpen,
  isPool,
  itemsLeft,
  liveWorkers,
  lockQuietMs,
  mayBeEnding,
  quietEnoughMs,
} from './conditions'
import { count, endedHow, exitEvidence, list, nameOf, parentEvidence } from './phrases'

type Lock = 'tasks' | 'results'

/**
 * A worker died while it held a lock of the pool's queues, and nobody will ever release it (facts: cause 1,
 * python/cpython#96062). Proven by the dead worker's own note; else by all workers waiting for one lock that nobody
 * holds.
 */
export function orphanedQueueLock(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const proven = (['tasks', 'results'] as const).flatMap((lock) => byNote(facts, lock))
  return proven.length > 0 ? proven : byWaiting(facts)
}

function byNote(facts: ProgramPoolFacts, lock: Lock): readonly ProgramVerdict[] {
  if (!isPool(facts) || facts.locks[lock] === 'free' || someoneAliveHolds(facts, lock)) return []
  // The newest: an older note is of a worker that ended between releasing the lock and noting it.
  const holder = facts.workers
    .filter(({ exit, holds }) => exit !== null && holds.includes(lock))
    .sort((a, b) => (a.exit?.agoMs ?? 0) - (b.exit?.agoMs ?? 0))[0]
  const exit = holder?.exit
  if (!exit || !matters(facts, exit)) return []

  const waiting = waitingFor(facts, lock)
  const stuck = isStuck(facts, lock, waiting.length)
  const what = lock === 'tasks' ? 'the lock of the task queue' : 'the lock of the result queue'
  const effect = lock === 'tasks' ? 'no worker can take a task' : 'no worker can send a result'
  const work = !isOpen(facts)
    ? 'terminate() waits for that lock'
    : lock === 'tasks'
      ? queuedInWords(facts)
      : `${count(itemsLeft(facts), 'result')} not arrived`
  return [
    {
      code: 'orphaned-queue-lock',
      summary: stuck
        ? `${facts.pool} will wait for ever: ${nameOf(holder)} ${endedHow(exit)} while it held ${what}, so ` +
          `${effect}; ${work}.`
        : `${facts.pool} is idle, but can do nothing more: ${nameOf(holder)} ${endedHow(exit)} while it held ` +
          `${what}, so ${effect}.`,
      evidence: [
        { what: 'flight recorder', value: `${nameOf(holder)} held ${what} when it ended` },
        ...exitEvidence(holder, exit),
        {
          what: what,
          value:
            facts.locks[lock] === 'taken'
              ? 'taken, and nobody alive holds it'
              : 'state unknown; nobody alive has noted that it holds it',
        },
        ...waitingEvidence(waiting),
        ...parentEvidence(facts),
      ],
      advice: facts.parent.answers
        ? 'Rescue: release the lock, so that the other workers go ' +
          `on.${lock === 'results' ? ' A result that it had written half is lost.' : ''}`
        : 'The program does not answer at the moment: the lock can be released when it does.',
      confidence: facts.parent.answers && (facts.locks[lock] === 'taken' || waiting.length > 0) ? 'certain' : 'likely',
      stuck,
      worker: holder.name,
      pid: holder.pid,
      task: null,
      rescue: facts.parent.answers ? [{ kind: 'lock', lock, worker: holder.name, pid: holder.pid }] : [],
    },
  ]
}

/**
 * While the pool works; and when `terminate()` itself waits for the lock (CPython's `_help_stuff_finish` takes it
 * without a limit).
 */
function matters(facts: ProgramPoolFacts, exit: ProgramExitFacts): boolean {
  const { state, parent } = facts
  const { agoMs } = exit
  if (isOpen(facts)) return !mayBeEnding(facts, exit) && (!isExecutor(facts) || agoMs >= executorNoticesMs)
  // Once it has the lock, terminate() ends the workers, holder or not, and waits for their ends, which may take a
  // while.
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

function someoneAliveHolds(facts: ProgramPoolFacts, lock: Lock): boolean {
  return liveWorkers(facts).some(
    ({ holds, wait, phase }) =>
      holds.includes(lock) ||
      (lock === 'tasks'
        ? phase !== 'running' && phase !== 'sending' && wait?.kind === 'pipe-read'
        : phase === 'sending' && wait?.kind === 'pipe-write'),
  )
}

/** Those who stand in line for it now. */
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

function queuedInWords(facts: ProgramPoolFacts): string {
  if ((facts.queued ?? 0) > 0) return `${count(facts.queued ?? 0, 'task')} queued`
  return `${count(itemsLeft(facts), 'result')} not arrived`
}

function waitingEvidence(waiting: readonly ProgramWorkerFacts[]): Evidence[] {
  if (waiting.length === 0) return []
  const addresses = [...new Set(waiting.flatMap(({ wait }) => wait?.address ?? []))]
  return [
    {
      what: 'workers that wait for it',
      value: `${list(waiting.map(nameOf))}${addresses.length === 0 ? '' : addresses.length === 1 ? `, all at futex ${addresses[0] ?? ''}` : `, at futexes ${list(addresses)}`}`,
    },
  ]
}

/** Nobody noted anything, or nobody can: an attached program has no recorder. */
function byWaiting(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const live = liveWorkers(facts)
  const isRecorded = live.every(({ phase, task }) => phase === 'idle' && task === null)
  const quietMs = Math.min(...live.map((worker) => worker.quietMs), isRecorded ? facts.unchangedMs : Infinity)
  if (live.length === 0 || facts.locks.tasks === 'free' || !isOpen(facts) || isExecutor(facts) || quietMs < lockQuietMs)
    return []
  if (live.some(({ wait, holds }) => wait?.kind !== 'futex' || wait.isPrivate || wait.timed || holds.includes('tasks')))
    return []
  const addresses = new Set(live.map(({ wait }) => wait?.address ?? null))
  if (isRecorded && isPool(facts)) {
    // Who was started anew, and did not inherit its memory, has the lock at an address of its own.
    if (addresses.size > 1 && facts.startMethod === 'fork') return []
    return [verdictByWaiting(facts, live, 'likely', isAnythingAwaited(facts), quietMs)]
  }
  // Processes that wait for an event of the program look the same: one of them says nothing, and all of them not much.
  // Where nobody notes anything, the lock may just be handed on.
  if (
    facts.library !== 'unknown' ||
    live.length < 2 ||
    live.some(({ waitsMs }) => waitsMs < lockQuietMs) ||
    addresses.size > 1 ||
    addresses.has(null)
  )
    return []
  return [
    verdictByWaiting(facts, live, 'possible', Math.min(quietMs, facts.parent.quietMs) >= facts.stuckAfterMs, quietMs),
  ]
}

function verdictByWaiting(
  facts: ProgramPoolFacts,
  live: readonly ProgramWorkerFacts[],
  confidence: Verdict['confidence'],
  stuck: boolean,
  quietMs: number,
): ProgramVerdict {
  const who = live.length === 1 ? 'its only worker waits' : `all ${live.length} workers wait`
  return {
    code: 'orphaned-queue-lock',
    summary:
      `${facts.pool} ${stuck ? 'will wait for ever' : 'can do nothing more'}: ${who} for one lock, and nobody ` +
      `${confidence === 'possible' ? 'seems to hold' : 'holds'} it: a worker that held the lock of the task queue ` +
      'has probably been killed.',
    evidence: [
      ...waitingEvidence(live),
      { what: 'worker that reads the task queue', value: 'none; in a healthy pool there is always one' },
      { what: 'CPU time of the workers', value: `none for ${durationInWords(quietMs)}` },
      ...(facts.queued === null ? [] : [{ what: 'tasks queued', value: String(facts.queued) }]),
      ...parentEvidence(facts),
    ],
    advice: 'Whoever held the lock is gone, and nobody noted who it was: terminate the program.',
    confidence,
    stuck,
    worker: null,
    pid: null,
    task: null,
    rescue: [],
  }
}
