import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, ReaderFacts, WaitFacts } from './facts'
import type { Evidence } from '../verdict'
import { durationInWords } from '../words'
import { isAnythingAwaited, isLive, isPool, isWriting, liveWorkers, quietEnoughMs } from './conditions'
import { feederWrite, isFeederInLine } from './queueFeeder'
import { list, nameOf, parentEvidence, taskName, waitInWords, whereEvidence } from './phrases'

/** A thread waits in write(): whoever should read has stopped reading, and the pipe is full (facts: causes 7 and 8). */
export function outputPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  return [...mainThreads(facts), ...feeders(facts), ...ownFeeder(facts)]
}

/**
 * A worker that sends a result is another matter: the program takes those in, and is slow at worst. So is the reader of
 * a pipe between two processes of a program, unless the program waits for the one that writes. Who reads the program's
 * output is not seen at all: a pager reads on when somebody presses a key, and only the time since the last byte was
 * taken tells it from one that never will.
 */
function mainThreads(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, readers, stuckAfterMs } = facts
  const ends = new Set(joined(facts))
  const writers = writersByTarget(facts)
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { wait, phase, task, quietMs, waitsMs } = worker
    if (!isLive(worker) || phase === 'sending' || phase === 'idle') return []
    if (wait === null || !isWriting(wait)) return []
    const isInTask = isPool(facts) && phase === 'running'
    const stream = wait.descriptor === 1 ? 'stdout' : wait.descriptor === 2 ? 'stderr' : undefined
    // It may be sending a result, where nothing is noted of that.
    if (isPool(facts) && phase === 'unknown' && stream === undefined) return []
    const isAwaited = (ends.has(worker) || (isInTask && waitsForPool(facts))) && isNobodyLeft(facts)
    const proven = isAwaited && stream === undefined && isProvenAlone(facts)
    if (!isInTask && (parent.quietMs < quietEnoughMs || (stream === undefined && !areQuiet(readers, stuckAfterMs))))
      return []
    // Asleep before, it may have begun to write a moment ago; and each time that somebody reads, it runs.
    const heldMs = Math.min(quietMs, waitsMs)
    const others = (writers.get(wait.target) ?? []).filter(({ pid }) => pid !== worker.pid)
    const unreadMs = Math.min(heldMs, ...others.map((other) => other.waitsMs))
    const isUnread = unreadMs >= quietEnoughMs
    const stuck = isQuietEnough(proven ? heldMs : unreadMs, proven, stuckAfterMs)
    if (!stuck && !((isInTask || isAwaited) && heldMs >= quietEnoughMs)) return []
    const what = wait.kind === 'pipe-write' ? 'pipe' : 'socket'
    const whereTo = `it writes to ${stream ?? `a ${what}`}, the ${what} is full`
    return [
      {
        code: 'output-pipe-full',
        summary: stuck
          ? `${nameOf(worker)} of ${facts.pool} cannot go on${task === null ? '' : ` with ${taskName(task)}`}: ` +
            `${whereTo}, and nobody ${proven ? 'reads it' : `has read it for ${durationInWords(unreadMs)}`}.`
          : `${nameOf(worker)} of ${facts.pool} has waited for ` +
            `${durationInWords(heldMs)}${task === null ? '' : ` in ${taskName(task)}`}: ${whereTo}, ` +
            `${isUnread ? `and whoever reads it has not read for ${durationInWords(unreadMs)}` : `while ${others.length === 1 ? 'another process writes' : `${others.length} others write`} to it as well`}.`,
        evidence: [
          ...whereEvidence(worker),
          cpuEvidence(worker),
          ...(proven || !isUnread ? [] : [notReadEvidence(unreadMs)]),
          ...parentEvidence(facts),
        ],
        advice: !stuck
          ? 'It goes on as soon as somebody reads on (a pager, the next command of a pipeline, a process that ' +
            `works in between); it is called stuck when nobody has for ${durationInWords(stuckAfterMs)}.`
          : stream !== undefined
            ? `Read the program's ${stream}: whoever started it with a pipe has to empty that pipe while it runs.`
            : 'Whoever is to read that has stopped reading: take things out of a queue or pipe before you join() ' +
              'the process that puts them in.',
        confidence: isInTask || (isAwaited && isProvenAlone(facts)) ? 'likely' : 'possible',
        stuck,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      },
    ]
  })
}

/**
 * The feeder of a worker's queue waits in write(), and the worker for its feeder: "joining a process that has put items
 * on a queue" (python/cpython#78321). The reader may just be slow; only when the program waits for the end of that
 * worker, or for its pool, and no other process is left to read, nobody will.
 */
function feeders(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, readers, stuckAfterMs } = facts
  const writers = liveWorkers(facts).flatMap((worker) => {
    const write = worker.phase === 'sending' ? undefined : feederWrite(worker)
    return write === undefined ? [] : [{ worker, write }]
  })
  if (writers.length === 0 || parent.quietMs < quietEnoughMs) return []
  const inLine = liveWorkers(facts).filter(isFeederInLine)
  const ends = new Set(joined(facts))
  // Whoever is in line for the queue ends after the one that writes to it.
  const oneInLineEnds = inLine.some((worker) => ends.has(worker))
  return writers.flatMap(({ worker, write }): ProgramVerdict[] => {
    const isAwaited = ends.has(worker) || oneInLineEnds
    const proven = (isAwaited || waitsForPool(facts)) && isProvenAlone(facts)
    if (!isAwaited && !proven) return []
    // A slow reader uses no CPU time worth mentioning; but each time that it reads, the feeder runs.
    const heldMs = Math.min(worker.quietMs, parent.quietMs, proven ? Infinity : worker.feederWaitsMs)
    if (!isQuietEnough(heldMs, proven, stuckAfterMs) || !areQuiet(readers, stuckAfterMs)) return []
    const { task, wait } = worker
    const isDone = task === null && (wait?.isPrivate === true || wait?.address === null)
    return [
      {
        code: 'output-pipe-full',
        summary:
          `${nameOf(worker)} of ${facts.pool} ${isDone ? 'is done with its work and cannot end' : `cannot go on${task === null ? '' : ` with ${taskName(task)}`}`}: ` +
          'the feeder thread of its queue writes to a pipe, the pipe is full, and nobody ' +
          `${proven ? 'reads it' : `has read it for ${durationInWords(heldMs)}`}.`,
        evidence: [
          threadEvidence(worker.name, write),
          ...whereEvidence(worker),
          cpuEvidence(worker),
          ...(proven ? [] : [notReadEvidence(heldMs)]),
          ...(inLine.length === 0 ? [] : [{ what: 'in line for the same queue', value: list(inLine.map(nameOf)) }]),
          ...parentEvidence(facts),
          ...joinEvidence(facts, [worker, ...inLine]),
        ],
        advice:
          'Take everything out of the queue before join(): a process that has put things into a ' +
          'multiprocessing.Queue ends only when all of them fit into the pipe. A queue of ' +
          'multiprocessing.Manager() has no feeder thread, and cancel_join_thread() drops what nobody has read.',
        confidence: proven ? 'likely' : 'possible',
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      },
    ]
  })
}

/**
 * The same of the program itself: those that took things out of its queue have ended (`JoinableQueue.join()`, or the
 * end of the program).
 */
function ownFeeder(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, stuckAfterMs } = facts
  if (isPool(facts) || !isNobodyLeft(facts)) return []
  const write = feederWrite(parent)
  const waitsForIt = /\bin (Queue\.(_finalize_join|join_thread)|JoinableQueue\.join)$/.test(parent.waitsIn ?? '')
  // Of a program that is only looked at, nobody knows what its threads are for.
  const unknown = parent.waitsIn === null && !parent.answers
  if (write === undefined || !(waitsForIt || unknown) || !isQuietEnough(parent.quietMs, waitsForIt, stuckAfterMs))
    return []
  return [
    {
      code: 'output-pipe-full',
      summary:
        `The program of ${facts.pool} (pid ${parent.pid}) cannot ` +
        `${(parent.waitsIn ?? '').includes('_finalize_join') ? 'end' : 'go on'}: ` +
        `${waitsForIt ? 'the feeder thread of its queue' : 'another thread of it, as the feeder thread of a queue would,'} ` +
        'writes to a pipe, the pipe is full, and no process is left that could read it.',
      evidence: [
        threadEvidence('the program', write),
        ...(parent.wait === null ? [] : [{ what: 'the program waits for', value: waitInWords(parent.wait) }]),
        { what: 'CPU time', value: `none for ${durationInWords(parent.quietMs)}` },
        ...parentEvidence(facts),
      ],
      advice:
        `Terminate the program (pid ${parent.pid}): whoever took things out of that queue has ended. Let the ` +
        'consumers run until the queue is empty; cancel_join_thread() drops what nobody has read.',
      confidence: waitsForIt ? 'likely' : 'possible',
      stuck: true,
      worker: null,
      pid: parent.pid,
      task: null,
      rescue: [],
    },
  ]
}

/**
 * What is read from a pipe lets on one of those that write to it at a time: each may wait for long while all of it
 * flows.
 */
function writersByTarget({ workers }: ProgramPoolFacts): ReadonlyMap<string | null, readonly ProgramWorkerFacts[]> {
  const known = new Map<string | null, ProgramWorkerFacts[]>()
  for (const worker of workers) {
    const { wait } = worker
    if (!isLive(worker) || wait?.kind.endsWith('-write') !== true || wait.target === null) continue
    const same = known.get(wait.target)
    if (same === undefined) known.set(wait.target, [worker])
    else same.push(worker)
  }
  return known
}

/** Workers whose end is waited for, by the program or by one another. */
function joined(facts: ProgramPoolFacts): readonly ProgramWorkerFacts[] {
  const pids = new Set([facts.parent.joins, ...facts.workers.map(({ wait }) => wait?.child ?? null)])
  return facts.workers.filter(({ pid }) => pids.has(pid))
}

/** The program does nothing but wait for this pool: for its results, or for its end. */
function waitsForPool(facts: ProgramPoolFacts): boolean {
  // Who asks with a time limit does something else when there is no answer, and may read then; or when the last result
  // has come, this moment.
  return (
    isPool(facts) &&
    facts.parent.wait?.timed !== true &&
    facts.unchangedMs >= quietEnoughMs &&
    (isAnythingAwaited(facts) || facts.state === 'close') &&
    /\bin (Pool|AsyncResult|IMapIterator|ProcessPoolExecutor|Executor|Future)\./.test(facts.parent.waitsIn ?? '')
  )
}

/** Neither another process nor, as far as known, a thread of the program itself could yet read. */
function isNobodyLeft({ parent, readers }: ProgramPoolFacts): boolean {
  return readers.count === 0 && parent.hasThreads !== true
}

/** Of a program that is only looked at, nobody knows what its other threads do. */
function isProvenAlone(facts: ProgramPoolFacts): boolean {
  return isNobodyLeft(facts) && facts.parent.hasThreads === false
}

/**
 * As long as somebody could read, only the whole time that anything is given tells: nobody looks at a slow reader's
 * clock.
 */
function isQuietEnough(quietMs: number, proven: boolean, stuckAfterMs: number): boolean {
  return quietMs >= (proven ? quietEnoughMs : Math.max(quietEnoughMs, stuckAfterMs))
}

/** A reader that computes between two things that it takes goes on by itself. */
function areQuiet({ count, quietMs }: ReaderFacts, stuckAfterMs: number): boolean {
  return count === 0 || quietMs >= stuckAfterMs
}

function cpuEvidence({ quietMs }: ProgramWorkerFacts): Evidence {
  return { what: 'CPU time', value: `none for ${durationInWords(quietMs)}` }
}

function notReadEvidence(heldMs: number): Evidence {
  return { what: 'bytes that were read from it', value: `none for ${durationInWords(heldMs)}` }
}

function threadEvidence(who: string, write: WaitFacts): Evidence {
  return { what: `another thread of ${who} waits for`, value: waitInWords(write) }
}

/** Who waits for the end of one of these. */
function joinEvidence({ parent, workers }: ProgramPoolFacts, ends: readonly ProgramWorkerFacts[]): Evidence[] {
  const waiting = [
    { pid: parent.pid, child: parent.joins },
    ...workers.map(({ pid, wait }) => ({ pid, child: wait?.child ?? null })),
  ]
  const pids = new Set(ends.map(({ pid }) => pid))
  return waiting.flatMap(({ pid, child }) =>
    child === null || !pids.has(child)
      ? []
      : [{ what: `process ${pid} waits for`, value: `the end of process ${child}` }],
  )
}
