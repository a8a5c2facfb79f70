import { noCpuEvidence } from '../evidence'
import { duration, list, message, type Message } from '../messages'
import { liveWorkers, quietEnoughMs } from './conditions'
import { parentEvidence, whereEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, WaitFacts } from './facts'
import { cannotGoOn, nameOf } from './phrases'
import { programVerdict } from './programVerdict'
import { feederWrite, isFeederInLine } from './queueFeeder'
import {
  areReadersQuiet,
  isProvenWithoutReader,
  isQuietEnough,
  joinEvidence,
  joined,
  notReadEvidence,
  waitsForPool,
  workerThreadEvidence,
} from './readers'

/** A worker whose feeder waits in write(). */
interface Writer {
  readonly worker: ProgramWorkerFacts
  readonly write: WaitFacts
  readonly isProven: boolean
  /** Milliseconds since a byte was last read. */
  readonly heldMs: number
}

/**
 * The feeder thread of a worker's queue waits in write(), and the worker waits for its feeder ("joining processes that
 * use queues", documentation of multiprocessing; cause 7 in README.md). The reader may be slow; it is certainly gone
 * when the program waits for the end of that worker, or for its pool, and no other process can read.
 */
export function feederPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, readers, stuckAfterMs } = facts
  const writers = liveWorkers(facts).flatMap((worker) => {
    const write = worker.phase === 'sending' ? undefined : feederWrite(worker)
    return write === undefined ? [] : [{ worker, write }]
  })
  if (writers.length === 0 || parent.quietMs < quietEnoughMs) return []
  const inLine = liveWorkers(facts).filter(isFeederInLine)
  const ends = new Set(joined(facts))
  // A worker in line for the queue ends after the one that writes to it.
  const oneInLineEnds = inLine.some((worker) => ends.has(worker))
  return writers.flatMap(({ worker, write }): ProgramVerdict[] => {
    const isAwaited = ends.has(worker) || oneInLineEnds
    const isProven = (isAwaited || waitsForPool(facts)) && isProvenWithoutReader(facts)
    if (!isAwaited && !isProven) return []
    // A slow reader uses no CPU time worth mentioning, but the feeder runs at each of its reads.
    const heldMs = Math.min(worker.quietMs, parent.quietMs, isProven ? Infinity : worker.feederWaitsMs)
    if (!isQuietEnough(heldMs, isProven, stuckAfterMs) || !areReadersQuiet(readers, stuckAfterMs)) return []
    return [verdictOn(facts, { worker, write, isProven, heldMs }, inLine)]
  })
}

function verdictOn(facts: ProgramPoolFacts, writer: Writer, inLine: readonly ProgramWorkerFacts[]): ProgramVerdict {
  const { worker, write, isProven, heldMs } = writer
  return programVerdict({
    code: 'output-pipe-full',
    summary: summaryOf(facts, writer),
    evidence: [
      workerThreadEvidence(worker, write),
      ...whereEvidence(worker),
      noCpuEvidence(worker.quietMs),
      ...(isProven ? [] : [notReadEvidence(heldMs)]),
      ...(inLine.length === 0
        ? []
        : [{ what: message('in line for the same queue'), value: list(inLine.map(nameOf)) }]),
      ...parentEvidence(facts),
      ...joinEvidence(facts, [worker, ...inLine]),
    ],
    advice: message(
      'Take everything out of the queue before join(): a process that has put things into a multiprocessing.Queue ' +
        'ends only when all of them fit into the pipe. A queue of multiprocessing.Manager() has no feeder thread, ' +
        'and cancel_join_thread() drops what nobody has read.',
    ),
    confidence: isProven ? 'likely' : 'possible',
    stuck: true,
    worker: worker.name,
    pid: worker.pid,
    task: worker.task?.id ?? null,
    rescue: [],
  })
}

function summaryOf({ pool }: ProgramPoolFacts, { worker, isProven, heldMs }: Writer): Message {
  const { task, wait } = worker
  const isDone = task === null && (wait?.isPrivate === true || wait?.address === null)
  return message(
    '{0}: the feeder thread of its queue writes to a pipe, the pipe is full, and {1}.',
    isDone
      ? message('{0} of {1} is done with its work and cannot end', nameOf(worker), pool)
      : cannotGoOn(worker, pool),
    isProven ? message('nobody reads it') : message('nobody has read it for {0}', duration(heldMs)),
  )
}
