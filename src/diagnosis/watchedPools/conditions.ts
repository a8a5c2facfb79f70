import type { ProgramExitFacts, ProgramPoolFacts, ProgramWorkerFacts, WaitFacts } from './facts'
import type { Verdict } from '../verdict'

/** Conditions that several rules for watched pools share. */

/** Longer than the pauses of a healthy pool on a busy machine, short enough for an early report. */
export const quietEnoughMs = 2000
/** How long all workers of a pool must wait for a lock: a released lock is taken within microseconds. */
export const lockQuietMs = 1000
/**
 * A program that ends its pool (`terminate()`, the end of the program, Ctrl-C) also ends workers with tasks in flight.
 * The newest answer of the observer may be a little older than such an exit; an answer this long after it would say
 * that the pool is ending.
 */
const settleMs = 300
/** As `settleMs`, after an exit by SIGTERM: pools end their own workers by it. */
const settleAfterSigtermMs = 1000
/** How long to wait for an answer of the parent after such an exit. */
const settleWithoutAnswerMs = 1500
/** An executor notices a dead worker at once and fails all calls; one that has not done so by now never will. */
export const executorNoticesMs = 2000

/**
 * The pool may have ended this worker itself while it was shutting down, which only an answer of the parent after the
 * exit shows. A parent in C code does not answer, but it does not collect its workers either; a parent that ends its
 * pool collects them, and may have exited since.
 */
export function mayBeEnding(
  { parent }: ProgramPoolFacts,
  { signal, endedByUs, agoMs, answeredAfterMs, uncollected }: ProgramExitFacts,
): boolean {
  const byPool = signal === 'SIGTERM' && endedByUs === null
  if ((answeredAfterMs ?? -Infinity) >= (byPool ? settleAfterSigtermMs : settleMs)) return false
  return parent.answers || byPool || !uncollected || agoMs < settleWithoutAnswerMs
}

/** The process exists and can run. */
export function isLive(worker: ProgramWorkerFacts): boolean {
  return worker.exit === null && worker.phase !== 'exited' && worker.state !== 'zombie'
}

/** It waits for a reader. */
export function isWriting(wait: WaitFacts | null): boolean {
  return wait?.kind === 'pipe-write' || wait?.kind === 'socket-write'
}

export function liveWorkers({ workers }: ProgramPoolFacts): readonly ProgramWorkerFacts[] {
  return workers.filter(isLive)
}

/** In the middle of a task, by its own notes. */
export function isBusy(worker: ProgramWorkerFacts): boolean {
  return isLive(worker) && worker.task !== null
}

/** The pool runs, or finishes what was submitted: a call may wait for its results. */
export function isOpen({ state }: ProgramPoolFacts): boolean {
  return state === 'init' || state === 'run' || state === 'close'
}

/** A dead worker breaks an executor: every call raises instead of waiting indefinitely. */
export function isExecutor({ library }: Pick<ProgramPoolFacts, 'library'>): boolean {
  return library === 'concurrent.futures' || library === 'loky'
}

/** A pool with tasks; false for processes that a program started on its own. */
export function isPool({ library }: Pick<ProgramPoolFacts, 'library'>): boolean {
  return library !== 'processes' && library !== 'unknown'
}

/** Number of items without a result, over all calls that wait. */
export function itemsLeft({ jobs }: ProgramPoolFacts): number {
  return jobs.reduce((sum, { left }) => sum + (left ?? 0), 0)
}

/** Tasks wait for a worker; false also when unknown. */
export function isAnythingQueued({ queued, taskPipeBytes }: ProgramPoolFacts): boolean {
  return (queued ?? 0) > 0 || (taskPipeBytes ?? 0) > 0
}

/** Tasks wait for a worker, or calls for results. */
export function isAnythingAwaited(facts: ProgramPoolFacts): boolean {
  return isAnythingQueued(facts) || itemsLeft(facts) > 0
}

/** Confidence of a verdict that rests on answers of the parent: without an answer now, they are old. */
export function certainIfAnswers({ parent }: ProgramPoolFacts): Verdict['confidence'] {
  return parent.answers ? 'certain' : 'likely'
}

/**
 * Calls wait, but no result can arrive any more: the pipes are empty, every worker waits for a task, one of them reads
 * (or nothing is queued), and for `forMs` no process has used CPU time and nothing else has changed; a result that is
 * just leaving the pipe looks like this for a moment. False during an `imap`, whose iterator may be slow and delays all
 * later calls, and while a callback of the program delays the results.
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
