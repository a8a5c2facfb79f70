import type { ProgramExitFacts, ProgramPoolFacts, ProgramWorkerFacts, WaitFacts } from './facts'
import type { Verdict } from '../verdict'

/** What rules for programs ask in common. */

/**
 * Nothing has moved for so long: longer than the pauses of a healthy pool on a busy machine, short enough to be told
 * soon.
 */
export const quietEnoughMs = 2000
/**
 * How long all workers of a pool wait for a lock before that means something: handed on, it is taken within
 * microseconds.
 */
export const lockQuietMs = 1000
/**
 * A program that ends its pool (`terminate()`, the end of the program, Ctrl-C) ends workers with tasks in flight, too.
 * What the observer said of the pool may be a little older than such an exit; after this long a look has said that the
 * pool is ending.
 */
const settleMs = 300
/** The same for SIGTERM, which is how pools end their own workers. */
const settleAfterSigtermMs = 1000
/** How long a parent that has not answered since such an exit is given to do so. */
const settleWithoutAnswerMs = 1500
/** An executor notices a dead worker at once, and fails everything; one that has not after this long never will. */
export const executorNoticesMs = 2000

/**
 * The pool may have ended this worker itself, on its way out, which the parent has not told yet: only an answer that
 * was given after the exit tells, however long it takes until somebody judges. Of a parent that stands in C code none
 * comes; but that does not collect its workers either, while one that ends its pool does, and may be gone itself by
 * now.
 */
export function mayBeEnding(
  { parent }: ProgramPoolFacts,
  { signal, endedByUs, agoMs, answeredAfterMs, uncollected }: ProgramExitFacts,
): boolean {
  const byPool = signal === 'SIGTERM' && endedByUs === null
  if ((answeredAfterMs ?? -Infinity) >= (byPool ? settleAfterSigtermMs : settleMs)) return false
  return parent.answers || byPool || !uncollected || agoMs < settleWithoutAnswerMs
}

/** A process that is there and runs, or could. */
export function isLive(worker: ProgramWorkerFacts): boolean {
  return worker.exit === null && worker.phase !== 'exited' && worker.state !== 'zombie'
}

/** It waits for somebody to read. */
export function isWriting(wait: WaitFacts | null): boolean {
  return wait?.kind === 'pipe-write' || wait?.kind === 'socket-write'
}

export function liveWorkers({ workers }: ProgramPoolFacts): readonly ProgramWorkerFacts[] {
  return workers.filter(isLive)
}

/** In the middle of a task, as far as it told. */
export function isBusy(worker: ProgramWorkerFacts): boolean {
  return isLive(worker) && worker.task !== null
}

/** The pool runs, or runs on until everything is done: somebody may wait for its results. */
export function isOpen({ state }: ProgramPoolFacts): boolean {
  return state === 'init' || state === 'run' || state === 'close'
}

/** A dead worker breaks an executor: every call raises, instead of waiting for ever. */
export function isExecutor({ library }: Pick<ProgramPoolFacts, 'library'>): boolean {
  return library === 'concurrent.futures' || library === 'loky'
}

/** A pool with tasks, not just processes that a program started. */
export function isPool({ library }: Pick<ProgramPoolFacts, 'library'>): boolean {
  return library !== 'processes' && library !== 'unknown'
}

/** Items whose results have not come, over all calls that wait. */
export function itemsLeft({ jobs }: ProgramPoolFacts): number {
  return jobs.reduce((sum, { left }) => sum + (left ?? 0), 0)
}

/** Tasks that no worker has taken; 0 also when unknown. */
export function isAnythingQueued({ queued, taskPipeBytes }: ProgramPoolFacts): boolean {
  return (queued ?? 0) > 0 || (taskPipeBytes ?? 0) > 0
}

/** Somebody waits for something that is not there yet. */
export function isAnythingAwaited(facts: ProgramPoolFacts): boolean {
  return isAnythingQueued(facts) || itemsLeft(facts) > 0
}

/**
 * How sure a verdict can be that rests on what the parent says: what it said is old when it does not answer any more.
 */
export function certainIfAnswers({ parent }: ProgramPoolFacts): Verdict['confidence'] {
  return parent.answers ? 'certain' : 'likely'
}

/**
 * Calls wait, and yet there is nothing left that could bring their results: the pipes are empty, every worker waits for
 * a task, one of them reads (or nothing is queued at all), and for a while nobody has used CPU time and nothing else
 * has changed: a result on its way out of the pipe looks like this for a moment. Not with an `imap` under way: its
 * iterator may only be slow, and what was called after it waits behind it. And not while a callback of the program
 * holds up what comes in.
 */
export function waitsForNothing(facts: ProgramPoolFacts, forMs: number): boolean {
  const { parent, taskPipeBytes, resultPipeBytes, queued, jobs, threads, callback, unchangedMs } = facts
  const live = liveWorkers(facts)
  return (
    isOpen(facts) &&
    parent.answers &&
    callback === null &&
    Math.min(parent.quietMs, unchangedMs) >= forMs &&
    itemsLeft(facts) > 0 &&
    !jobs.some(({ call }) => call.startsWith('imap')) &&
    taskPipeBytes === 0 &&
    resultPipeBytes === 0 &&
    (queued === 0 || live.some(({ wait }) => wait?.kind === 'pipe-read')) &&
    live.length > 0 &&
    live.every(({ phase, task, quietMs }) => phase === 'idle' && task === null && quietMs >= forMs) &&
    threads?.results !== false &&
    threads?.tasks !== false &&
    threads?.workers !== false
  )
}

/** Out of memory, as far as can be known: SIGKILL, not ours, and the kernel has counted a kill. */
export function isOomKill({ signal, endedByUs, oomKills }: ProgramExitFacts): boolean {
  return signal === 'SIGKILL' && endedByUs === null && (oomKills ?? 0) > 0
}
