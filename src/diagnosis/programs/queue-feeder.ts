import type { ProgramWorkerFacts, ReaderFacts, ThreadWaits, WaitFacts } from '../program-facts'
import { isLive } from './conditions'

/**
 * What is put into a `multiprocessing.Queue` is written into its pipe by a thread, the queue's feeder. A process ends only when its
 * feeders have written everything, and while its main thread waits for that, the thread is what tells why (CPython
 * Lib/multiprocessing/queues.py, `_finalize_join`).
 */

interface Waiting {
  readonly wait: WaitFacts | null
  readonly threadWaits: ThreadWaits
}

/** Standard output and error are no queues. */
const lastStandardDescriptor = 2

/** Where its feeder stands in write(), while its main thread waits for a lock without a time limit; undefined when it does not. */
export function feederWrite({ wait, threadWaits }: Waiting): WaitFacts | undefined {
  if (wait?.kind !== 'futex' || wait.timed) return undefined
  return threadWaits.find(({ kind, descriptor }) => kind === 'pipe-write' && (descriptor ?? Infinity) > lastStandardDescriptor)
}

/** Its main thread waits for a thread, and one of those is in line for a lock that processes share: its feeder may write when another process's has. */
export function isFeederInLine({ wait, threadWaits }: Waiting): boolean {
  return wait?.kind === 'futex' && wait.isPrivate && !wait.timed
    && threadWaits.some(({ kind, address, isPrivate, timed }) => kind === 'futex' && address !== null && !isPrivate && !timed)
}

function isHeld(worker: ProgramWorkerFacts): boolean {
  const { wait } = worker
  return (wait !== null && (wait.kind === 'pipe-write' || wait.kind === 'socket-write' || wait.child !== null)) || feederWrite(worker) !== undefined || isFeederInLine(worker)
}

/** Who of these may yet read what others write: not one without a task, nor one that writes itself, waits for its own feeder, or for the end of another. */
export function readersAmong(workers: Iterable<ProgramWorkerFacts>): ReaderFacts {
  let [count, quietMs] = [0, Infinity]
  for (const worker of workers) {
    if (!isLive(worker) || worker.phase === 'idle' || isHeld(worker)) continue
    count += 1
    quietMs = Math.min(quietMs, worker.quietMs)
  }
  return { count, quietMs: count === 0 ? 0 : quietMs }
}
