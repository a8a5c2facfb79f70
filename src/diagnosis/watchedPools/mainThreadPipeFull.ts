import { noCpuEvidence } from '../evidence'
import { duration, message, type Message } from '../messages'
import { isLive, isPool, isWriting, quietEnoughMs } from './conditions'
import { parentEvidence, whereEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, WaitFacts } from './facts'
import { cannotGoOn, nameOf, taskName } from './phrases'
import { programVerdict } from './programVerdict'
import {
  areReadersQuiet,
  isProvenWithoutReader,
  isQuietEnough,
  isWithoutReader,
  joined,
  notReadEvidence,
  waitsForPool,
} from './readers'

type Stream = 'stdout' | 'stderr'

/** A worker whose main thread waits in write(). Times are milliseconds. */
interface Writer {
  readonly worker: ProgramWorkerFacts
  readonly wait: WaitFacts
  readonly stream: Stream | undefined
  readonly isInTask: boolean
  /** Its end or its result is waited for, and no reader is left. */
  readonly isAwaited: boolean
  readonly isProven: boolean
  readonly heldMs: number
  /** Number of other processes that write to the same pipe. */
  readonly others: number
  /** Since a byte was last read from the pipe. */
  readonly unreadMs: number
}

/**
 * The main thread of a worker waits in write(). A worker that sends a result is left out: the program reads that, if
 * slowly. A pipe between two processes counts when the program waits for the writer; otherwise its reader may be slow.
 * The reader of the program's output is invisible: a pager reads on at a key press, and only the time since the last
 * read byte tells it from a reader that has stopped.
 */
export function mainThreadPipeFull(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { parent, readers, stuckAfterMs } = facts
  const ends = new Set(joined(facts))
  const writers = writersByTarget(facts)
  return facts.workers.flatMap((worker): ProgramVerdict[] => {
    const { wait, phase, quietMs, waitsMs } = worker
    if (!isLive(worker) || phase === 'sending' || phase === 'idle') return []
    if (wait === null || !isWriting(wait)) return []
    const isInTask = isPool(facts) && phase === 'running'
    const stream = wait.descriptor === 1 ? 'stdout' : wait.descriptor === 2 ? 'stderr' : undefined
    // Without a recorder, it may be sending a result.
    if (isPool(facts) && phase === 'unknown' && stream === undefined) return []
    const isAwaited = (ends.has(worker) || (isInTask && waitsForPool(facts))) && isWithoutReader(facts)
    const isProven = isAwaited && stream === undefined && isProvenWithoutReader(facts)
    if (
      !isInTask &&
      (parent.quietMs < quietEnoughMs || (stream === undefined && !areReadersQuiet(readers, stuckAfterMs)))
    )
      return []
    // A worker that slept before may have begun to write a moment ago; and it runs each time that a byte is read.
    const heldMs = Math.min(quietMs, waitsMs)
    const others = (writers.get(wait.target) ?? []).filter(({ pid }) => pid !== worker.pid)
    const unreadMs = Math.min(heldMs, ...others.map((other) => other.waitsMs))
    const stuck = isQuietEnough(isProven ? heldMs : unreadMs, isProven, stuckAfterMs)
    if (!stuck && !((isInTask || isAwaited) && heldMs >= quietEnoughMs)) return []
    return [
      verdictOn(
        facts,
        { worker, wait, stream, isInTask, isAwaited, isProven, heldMs, others: others.length, unreadMs },
        stuck,
      ),
    ]
  })
}

function verdictOn(facts: ProgramPoolFacts, writer: Writer, stuck: boolean): ProgramVerdict {
  const { worker, isInTask, isAwaited, isProven, unreadMs } = writer
  return programVerdict({
    code: 'output-pipe-full',
    summary: stuck ? stuckInWords(facts, writer) : waitingInWords(facts, writer),
    evidence: [
      ...whereEvidence(worker),
      noCpuEvidence(worker.quietMs),
      ...(isProven || unreadMs < quietEnoughMs ? [] : [notReadEvidence(unreadMs)]),
      ...parentEvidence(facts),
    ],
    advice: adviceFor(facts, writer, stuck),
    confidence: isInTask || (isAwaited && isProvenWithoutReader(facts)) ? 'likely' : 'possible',
    stuck,
    worker: worker.name,
    pid: worker.pid,
    task: worker.task?.id ?? null,
    rescue: [],
  })
}

function stuckInWords({ pool }: ProgramPoolFacts, writer: Writer): Message {
  const { worker, isProven, unreadMs } = writer
  return message(
    '{0}: {1}, and {2}.',
    cannotGoOn(worker, pool),
    fullInWords(writer),
    isProven ? message('nobody reads it') : message('nobody has read it for {0}', duration(unreadMs)),
  )
}

function waitingInWords({ pool }: ProgramPoolFacts, writer: Writer): Message {
  const { worker, heldMs, unreadMs, others } = writer
  const subject =
    worker.task === null
      ? message('{0} of {1} has waited for {2}', nameOf(worker), pool, duration(heldMs))
      : message('{0} of {1} has waited for {2} in {3}', nameOf(worker), pool, duration(heldMs), taskName(worker.task))
  const full = fullInWords(writer)
  if (unreadMs >= quietEnoughMs)
    return message('{0}: {1}, and whoever reads it has not read for {2}.', subject, full, duration(unreadMs))
  return others === 1
    ? message('{0}: {1}, while another process writes to it as well.', subject, full)
    : message('{0}: {1}, while {2} others write to it as well.', subject, full, others)
}

function fullInWords({ wait, stream }: Writer): Message {
  if (wait.kind === 'pipe-write')
    return stream === undefined
      ? message('it writes to a pipe, the pipe is full')
      : message('it writes to {0}, the pipe is full', stream)
  return stream === undefined
    ? message('it writes to a socket, the socket is full')
    : message('it writes to {0}, the socket is full', stream)
}

function adviceFor({ stuckAfterMs }: ProgramPoolFacts, { stream }: Writer, stuck: boolean): Message {
  if (!stuck)
    return message(
      'It goes on as soon as somebody reads on (a pager, the next command of a pipeline, a process that works in ' +
        'between); it is called stuck when nobody has for {0}.',
      duration(stuckAfterMs),
    )
  return stream === undefined
    ? message(
        'Whoever is to read that has stopped reading: take things out of a queue or pipe before you join() the ' +
          'process that puts them in.',
      )
    : message("Read the program's {0}: whoever started it with a pipe has to empty that pipe while it runs.", stream)
}

/** A read wakes one of the writers of a pipe at a time: each may wait for long while the pipe flows. */
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
