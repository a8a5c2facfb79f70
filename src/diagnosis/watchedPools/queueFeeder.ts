import type { ProgramWorkerFacts, ReaderFacts, WaitFacts } from './facts'
import { isLive, isWriting, quietEnoughMs } from './conditions'

/**
 * What is put into a `multiprocessing.Queue` is written into its pipe by a thread, the queue's feeder. A process ends
 * only when its feeders have written everything, and while its main thread waits for that, the thread is what tells why
 * (CPython Lib/multiprocessing/queues.py, `_finalize_join`).
 */

interface Waiting<Wait = WaitFacts> {
  readonly wait: WaitFacts | null
  readonly threadWaits: readonly Wait[]
}

/** Standard output and error are no queues. */
const lastStandardDescriptor = 2

/**
 * Where its feeder stands in write(), while its main thread waits for a lock without a time limit; undefined when it
 * does not.
 */
export function feederWrite<Wait extends WaitFacts>({ wait, threadWaits }: Waiting<Wait>): Wait | undefined {
  if (wait?.kind !== 'futex' || wait.timed) return undefined
  return threadWaits.find(
    ({ kind, descriptor }) => kind === 'pipe-write' && (descriptor ?? Infinity) > lastStandardDescriptor,
  )
}

/**
 * Its main thread waits for a thread, and one of those is in line for a lock that processes share: its feeder may write
 * when another process's has.
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

/** In line to take something out of a queue: that its feeder writes to another one does not keep it from that. */
function isGetting({ stack, stackIsOfWait }: ProgramWorkerFacts): boolean {
  return (
    stackIsOfWait &&
    stack?.some(
      ({ file, function: name }) => /[/\\]multiprocessing[/\\]queues\.py$/.test(file) && /(^|\.)get$/.test(name),
    ) === true
  )
}

/** Who only writes something in passing, or waits for a command that it has started, goes on by itself. */
function isHeld(worker: ProgramWorkerFacts, pids: ReadonlySet<number>): boolean {
  const { wait, waitsMs } = worker
  if (isGetting(worker)) return false
  if (feederWrite(worker) !== undefined || isFeederInLine(worker)) return true
  if (isWriting(wait)) return waitsMs >= quietEnoughMs
  return wait?.child != null && pids.has(wait.child)
}

/**
 * Who of these may yet read what others write: not one without a task, nor one that writes itself, waits for its own
 * feeder, or for the end of another.
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
