import type { ProgramWorkerFacts, ReaderFacts, WaitFacts } from './facts'
import { isLive, isWriting, quietEnoughMs } from './conditions'

/**
 * A thread of a `multiprocessing.Queue`, its feeder, writes the items of `put()` into the pipe. A process ends only
 * when its feeders have written everything; while its main thread waits for that, the wait of the feeder shows the
 * reason (`_finalize_join` in CPython Lib/multiprocessing/queues.py).
 */

interface Waiting<Wait = WaitFacts> {
  readonly wait: WaitFacts | null
  readonly threadWaits: readonly Wait[]
}

/** The descriptors of stdin, stdout and stderr are no queues. */
const lastStandardDescriptor = 2

/** The wait of a feeder in write() while the main thread waits for a lock without a time limit; else undefined. */
export function feederWrite<Wait extends WaitFacts>({ wait, threadWaits }: Waiting<Wait>): Wait | undefined {
  if (wait?.kind !== 'futex' || wait.timed) return undefined
  return threadWaits.find(
    ({ kind, descriptor }) => kind === 'pipe-write' && (descriptor ?? Infinity) > lastStandardDescriptor,
  )
}

/**
 * The main thread waits for a thread, and one of the threads waits for a lock that processes share: a feeder that
 * writes after the feeder of another process.
 */
export function isFeederInLine({ wait, threadWaits }: Waiting): boolean {
  return (
    wait?.kind === 'futex' &&
    wait.isPrivate &&
    !wait.timed &&
    threadWaits.some(
      ({ kind, address, isPrivate, timed }) => kind === 'futex' && address !== null && !isPrivate && !timed,
    )
  )
}

/** It waits in `Queue.get()`; a feeder that writes to another queue does not prevent that. */
function isGetting({ stack, stackIsOfWait }: ProgramWorkerFacts): boolean {
  return (
    stackIsOfWait &&
    stack?.some(
      ({ file, function: name }) => /[/\\]multiprocessing[/\\]queues\.py$/.test(file) && /(^|\.)get$/.test(name),
    ) === true
  )
}

/** It cannot read; a process that writes for a moment, or waits for a command that it started, can soon. */
function isHeld(worker: ProgramWorkerFacts, pids: ReadonlySet<number>): boolean {
  const { wait, waitsMs } = worker
  if (isGetting(worker)) return false
  if (feederWrite(worker) !== undefined || isFeederInLine(worker)) return true
  if (isWriting(wait)) return waitsMs >= quietEnoughMs
  return wait?.child != null && pids.has(wait.child)
}

/**
 * The workers that may read the pipes of others: those with a task that do not write themselves and wait neither for
 * their own feeder nor for the end of another worker.
 */
export function readersAmong(workers: readonly ProgramWorkerFacts[]): ReaderFacts {
  const pids = new Set(workers.filter(isLive).map(({ pid }) => pid))
  let [count, quietMs] = [0, Infinity]
  for (const worker of workers) {
    if (!isLive(worker) || worker.phase === 'idle' || isHeld(worker, pids)) continue
    count += 1
    quietMs = Math.min(quietMs, worker.quietMs)
  }
  return { count, quietMs: count === 0 ? 0 : quietMs }
}
