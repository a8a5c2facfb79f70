import { commaSeparated, duration, list, message, type Message, type Text } from '../messages'
import type { EvidenceMessage } from '../verdict'
import { awaitedByProgram, awaitedByWorker, awaitedInWords, isInLibrary, placeOf, type Awaited } from './awaited'
import { isLive, quietEnoughMs } from './conditions'
import type { ProgramExitFacts, ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts } from './facts'
import { ended, endedHow, framesInWords, nameOf, waitInWords } from './phrases'
import { programVerdict } from './programVerdict'
import { standstillAdvice } from './standstillAdvice'

/** Processes that the evidence lists. */
const mostListed = 20

interface Waiting {
  readonly worker: ProgramWorkerFacts
  readonly awaited: Awaited
}

interface Failed {
  readonly worker: ProgramWorkerFacts
  readonly exit: ProgramExitFacts
}

/**
 * A program and all processes that it started wait for one another, or for one that has ended: without a time limit, in
 * places that only a process of the program could wake, and without other threads or signal handlers that might. Any
 * other source (a socket, a timer, the terminal, a child that is no Python process) means no verdict.
 */
export function standstill(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { library, parent, workers, stuckAfterMs } = facts
  if (library !== 'processes' || !parent.answers) return []
  const live = workers.filter(isLive)
  const here = awaitedByProgram(facts, live.length)
  const all = live.flatMap((worker): Waiting[] => {
    const awaited = awaitedByWorker(worker)
    return awaited === undefined ? [] : [{ worker, awaited }]
  })
  if (here === undefined || all.length < live.length) return []
  // Without a function of multiprocessing that waits for it, a semaphore could belong to another program.
  const isOurs = here !== 'lock' || parent.waitsIn !== null
  const forMs = Math.min(
    parent.standsStillMs,
    parent.quietMs,
    ...live.flatMap(({ standsStillMs, quietMs }) => [standsStillMs, quietMs]),
  )
  if (forMs < (isOurs && live.every(isInLibrary) ? quietEnoughMs : Math.max(quietEnoughMs, stuckAfterMs))) return []

  const failed = failedAmong(workers)
  return [
    programVerdict({
      code: 'self-wait',
      summary: summaryOf(facts, here, all, failed),
      evidence: evidenceOf(facts, live, failed, forMs),
      advice: standstillAdvice(
        new Set([here, ...all.map(({ awaited }) => awaited)]),
        here,
        failed.map(({ worker }) => worker),
        parent.pid,
      ),
      confidence: 'likely',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    }),
  ]
}

function failedAmong(workers: readonly ProgramWorkerFacts[]): Failed[] {
  return workers.flatMap((worker) => {
    const { exit } = worker
    return exit !== null && (exit.signal !== null || (exit.exitCode ?? 0) !== 0) ? [{ worker, exit }] : []
  })
}

function summaryOf(
  { pool, parent }: ProgramPoolFacts,
  here: Awaited,
  waiting: readonly Waiting[],
  failed: readonly Failed[],
): Message {
  const others = othersInWords(waiting, failed)
  return parent.waitsIn === null
    ? message('{0} will wait for ever for {1}: {2}.', pool, awaitedInWords(here), others)
    : message('{0} will wait for ever in {1}: {2}.', pool, parent.waitsIn, others)
}

function othersInWords(waiting: readonly Waiting[], failed: readonly Failed[]): Text {
  const gone = list(
    failed.map(({ worker, exit }) => ended(nameOf(worker), exit)),
    3,
  )
  if (waiting.length === 0) {
    const none = message('no other process of it is left that could end that')
    return failed.length === 0 ? none : message('{0}; {1}', none, gone)
  }
  const waits = list(waiting.map(waitingInWords), 3)
  const some =
    waiting.length === 1
      ? message('1 process that it started waits as well ({0})', waits)
      : message('{0} processes that it started wait as well ({1})', waiting.length, waits)
  return failed.length === 0 ? some : message('{0}, and {1}', some, gone)
}

function waitingInWords({ worker, awaited }: Waiting): Message {
  const place = placeOf(worker)
  return place === undefined
    ? message('{0} for {1}', nameOf(worker), awaitedInWords(awaited))
    : message('{0} for {1} in {2}', nameOf(worker), awaitedInWords(awaited), place)
}

function evidenceOf(
  { parent }: ProgramPoolFacts,
  live: readonly ProgramWorkerFacts[],
  failed: readonly Failed[],
  forMs: number,
): EvidenceMessage[] {
  return [
    {
      what: message('the program (pid {0}) waits', parent.pid),
      value: commaSeparated([
        ...(parent.waitsIn === null ? [] : [message('in {0}', parent.waitsIn)]),
        ...(parent.wait === null ? [] : [message('for {0}', waitInWords(parent.wait))]),
      ]),
    },
    ...live.slice(0, mostListed).map((worker) => ({
      what: message('{0} waits for', worker.name),
      value: waitWithStack(worker),
    })),
    ...failed.slice(0, mostListed).map(({ worker, exit }) => ({
      what: message('exit of {0}', nameOf(worker)),
      value: message('{0}, {1} ago', endedHow(exit), duration(exit.agoMs)),
    })),
    {
      what: message('CPU time of all of them'),
      value: message('none for {0}; all wait without a time limit', duration(forMs)),
    },
  ]
}

function waitWithStack({ wait, stack }: ProgramWorkerFacts): Text {
  const words = wait === null ? message('unknown') : waitInWords(wait)
  return stack === null || stack.length === 0
    ? words
    : message('{0}; stack, innermost first: {1}', words, framesInWords(stack, 6))
}
