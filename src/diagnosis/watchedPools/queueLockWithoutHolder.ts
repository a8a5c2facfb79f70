import { duration, message, type Message } from '../messages'
import type { Verdict } from '../verdict'
import { isAnythingAwaited, isExecutor, isOpen, isPool, liveWorkers, lockQuietMs } from './conditions'
import { lockWaitEvidence, parentEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { programVerdict } from './programVerdict'

/** All workers wait for one lock that none of them holds; for pools without notes of the holder, or without notes. */
export function queueLockWithoutHolder(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const live = liveWorkers(facts)
  const isRecorded = live.every(({ phase, task }) => phase === 'idle' && task === null)
  const quietMs = Math.min(...live.map((worker) => worker.quietMs), isRecorded ? facts.unchangedMs : Infinity)
  if (live.length === 0 || facts.locks.tasks === 'free' || !isOpen(facts) || isExecutor(facts) || quietMs < lockQuietMs)
    return []
  if (live.some(({ wait, holds }) => wait?.kind !== 'futex' || wait.isPrivate || wait.timed || holds.includes('tasks')))
    return []
  const addresses = new Set(live.map(({ wait }) => wait?.address ?? null))
  if (isRecorded && isPool(facts)) {
    // Only a worker that did not inherit its memory has the lock at an address of its own.
    if (addresses.size > 1 && facts.startMethod === 'fork') return []
    return [verdictOn(facts, live, 'likely', isAnythingAwaited(facts), quietMs)]
  }
  // Processes that wait for an event of the program look the same: a single one proves nothing, all of them little.
  // Without notes, the lock may be passing from one to the next at this moment.
  if (
    facts.library !== 'unknown' ||
    live.length < 2 ||
    live.some(({ waitsMs }) => waitsMs < lockQuietMs) ||
    addresses.size > 1 ||
    addresses.has(null)
  )
    return []
  return [verdictOn(facts, live, 'possible', Math.min(quietMs, facts.parent.quietMs) >= facts.stuckAfterMs, quietMs)]
}

function verdictOn(
  facts: ProgramPoolFacts,
  live: readonly ProgramWorkerFacts[],
  confidence: Verdict['confidence'],
  stuck: boolean,
  quietMs: number,
): ProgramVerdict {
  return programVerdict({
    code: 'orphaned-queue-lock',
    summary: summaryOf(facts, live.length, confidence, stuck),
    evidence: [
      ...lockWaitEvidence(live),
      {
        what: message('worker that reads the task queue'),
        value: message('none; in a healthy pool there is always one'),
      },
      { what: message('CPU time of the workers'), value: message('none for {0}', duration(quietMs)) },
      ...(facts.queued === null ? [] : [{ what: message('tasks queued'), value: facts.queued }]),
      ...parentEvidence(facts),
    ],
    advice: message('Whoever held the lock is gone, and nobody noted who it was: terminate the program.'),
    confidence,
    stuck,
    worker: null,
    pid: null,
    task: null,
    rescue: [],
  })
}

function summaryOf(
  { pool }: ProgramPoolFacts,
  workers: number,
  confidence: Verdict['confidence'],
  stuck: boolean,
): Message {
  const wait =
    workers === 1
      ? message('its only worker waits for one lock')
      : message('all {0} workers wait for one lock', workers)
  const holder = confidence === 'possible' ? message('nobody seems to hold it') : message('nobody holds it')
  return stuck
    ? message(
        '{0} will wait for ever: {1}, and {2}: a worker that held the lock of the task queue has probably been killed.',
        pool,
        wait,
        holder,
      )
    : message(
        '{0} can do nothing more: {1}, and {2}: a worker that held the lock of the task queue has probably been ' +
          'killed.',
        pool,
        wait,
        holder,
      )
}
