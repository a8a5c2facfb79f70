import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, StackFrameFacts } from './facts'
import { durationInWords } from '../words'
import { isLive, quietEnoughMs } from './conditions'
import { count, endedHow, framesInWords, list, nameOf, waitInWords } from './phrases'

/** What a process of a program waits for, by the function of `multiprocessing` that it is in. */
type Awaited =
  'lock' | 'own lock' | 'event' | 'condition' | 'barrier' | 'queue' | 'room' | 'task_done' | 'message' | 'process'

const words: Readonly<Record<Awaited, string>> = {
  lock: 'a lock',
  'own lock': 'a lock of its own',
  event: 'an event',
  condition: 'a condition',
  barrier: 'a barrier',
  queue: 'something in a queue',
  room: 'room in a queue',
  task_done: 'task_done() for everything in a queue',
  message: 'a message in a pipe',
  process: 'the end of a process',
}
const libraryFile = /[/\\](multiprocessing|unhang_observer)[/\\][^/\\]+$|[/\\]threading\.py$|^<frozen /

/**
 * A program and all processes that it started wait for one another, or for one that has ended: without a time limit, in
 * places that only a process of the program could wake, and with no other thread and no signal handler that might.
 * Whatever else may come from (a socket, a timer, the terminal, a child that is no Python process) is reason enough to
 * say nothing.
 */
export function standstill(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, library, parent, workers, stuckAfterMs } = facts
  if (library !== 'processes' || !parent.answers) return []
  const live = workers.filter(isLive)
  const here = awaitedByProgram(facts, live.length)
  const all = live.map((worker) => ({ worker, awaited: awaitedBy(worker) }))
  if (here === undefined || all.some(({ awaited }) => awaited === undefined)) return []
  // A semaphore could be another program's as well, where no function of multiprocessing is seen to wait for it.
  const isOurs = here !== 'lock' || parent.waitsIn !== null
  const forMs = Math.min(
    parent.standsStillMs,
    parent.quietMs,
    ...live.flatMap(({ standsStillMs, quietMs }) => [standsStillMs, quietMs]),
  )
  if (forMs < (isOurs && live.every(isInLibrary) ? quietEnoughMs : Math.max(quietEnoughMs, stuckAfterMs))) return []

  const badly = workers.filter(({ exit }) => exit !== null && (exit.signal !== null || (exit.exitCode ?? 0) !== 0))
  const waiting = all.map(
    ({ worker, awaited }) => `${nameOf(worker)} for ${words[awaited ?? 'lock']}${placeOf(worker)}`,
  )
  const gone = badly.map((worker) => `${nameOf(worker)} ${worker.exit === null ? 'ended' : endedHow(worker.exit)}`)
  const where = parent.waitsIn === null ? `for ${words[here]}` : `in ${parent.waitsIn}`
  return [
    {
      code: 'self-wait',
      summary: `${pool} will wait for ever ${where}: ${
        live.length === 0
          ? `no other process of it is left that could end that${gone.length === 0 ? '' : `; ${list(gone, 3)}`}`
          : `${count(live.length, 'process', 'es')} that it started ${live.length === 1 ? 'waits' : 'wait'} as well (${list(waiting, 3)})${gone.length === 0 ? '' : `, and ${list(gone, 3)}`}`
      }.`,
      evidence: [
        {
          what: `the program (pid ${parent.pid}) waits`,
          value: [
            ...(parent.waitsIn === null ? [] : [`in ${parent.waitsIn}`]),
            ...(parent.wait === null ? [] : [`for ${waitInWords(parent.wait)}`]),
          ].join(', '),
        },
        ...live.slice(0, 20).map((worker) => ({
          what: `${worker.name} waits for`,
          value: `${worker.wait === null ? 'unknown' : waitInWords(worker.wait)}${worker.stack === null || worker.stack.length === 0 ? '' : `; stack, innermost first: ${framesInWords(worker.stack, 6)}`}`,
        })),
        ...badly.slice(0, 20).map((worker) => ({
          what: `exit of ${nameOf(worker)}`,
          value: worker.exit === null ? '' : `${endedHow(worker.exit)}, ${durationInWords(worker.exit.agoMs)} ago`,
        })),
        { what: 'CPU time of all of them', value: `none for ${durationInWords(forMs)}; all wait without a time limit` },
      ],
      advice: adviceFor(new Set([here, ...all.flatMap(({ awaited }) => awaited ?? [])]), here, badly, parent.pid),
      confidence: 'likely',
      stuck: true,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    },
  ]
}

function awaitedByProgram({ parent }: ProgramPoolFacts, live: number): Awaited | undefined {
  const { wait, waitsIn, standsStillMs } = parent
  const call = waitsIn ?? ''
  if (wait === null || standsStillMs === 0) return undefined
  if (wait.kind === 'child') return live > 0 && waitsIn !== null ? 'process' : undefined
  if (wait.kind === 'pipe-read')
    return waitsIn === null || wait.descriptor === 0 ? undefined : call.includes('Queue') ? 'queue' : 'message'
  if (wait.kind !== 'futex' || wait.isPrivate || wait.timed) return undefined
  if (call.includes('JoinableQueue.join')) return 'task_done'
  if (call.includes('Queue.put')) return 'room'
  if (call.includes('Queue.')) return 'queue'
  return call.includes('Barrier')
    ? 'barrier'
    : call.includes('Event')
      ? 'event'
      : call.includes('Condition')
        ? 'condition'
        : 'lock'
}

/** Undefined when something else may wake it, or nobody knows. */
function awaitedBy(worker: ProgramWorkerFacts): Awaited | undefined {
  const { wait, stack, standsStillMs, state } = worker
  if (wait === null || standsStillMs === 0 || state !== 'sleeping') return undefined
  if (wait.kind === 'child') return isInLibrary(worker) ? 'process' : undefined
  // What it reads from could be anybody's, unless it reads it as multiprocessing does.
  if (wait.kind === 'pipe-read')
    return isIn(stack, 'queues', 'get') ? 'queue' : isIn(stack, 'connection') ? 'message' : undefined
  if (wait.kind !== 'futex' || wait.timed) return undefined
  if (wait.isPrivate) return 'own lock'
  if (isIn(stack, 'queues', 'get')) return 'queue'
  if (isIn(stack, 'queues', 'put')) return 'room'
  if (isIn(stack, 'queues', 'join')) return 'task_done'
  const inWaits = stack?.filter((frame) => isFrame(frame, 'synchronize', 'wait')).length ?? 0
  if (inWaits === 0) return 'lock'
  return stack?.some(({ file }) => /[/\\]threading\.py$/.test(file)) === true
    ? 'barrier'
    : inWaits > 1
      ? 'event'
      : 'condition'
}

/** A private lock is nobody else's anyway. */
function isInLibrary({ stack, wait }: ProgramWorkerFacts): boolean {
  return (
    wait?.isPrivate === true ||
    isIn(stack, 'queues') ||
    isIn(stack, 'synchronize') ||
    isIn(stack, 'connection') ||
    isIn(stack, 'process', 'join')
  )
}

/** What is outside of `_bootstrap` is not the process's own, but of the one that it was forked from. */
function own(stack: readonly StackFrameFacts[]): readonly StackFrameFacts[] {
  const begin = stack.findIndex((frame) => isFrame(frame, 'process', '_bootstrap'))
  return begin === -1 ? stack : stack.slice(0, begin)
}

function isIn(stack: ProgramWorkerFacts['stack'], module: string, name?: string): boolean {
  return own(stack ?? []).some((frame) => isFrame(frame, module, name))
}

function isFrame({ file, function: name }: StackFrameFacts, module: string, wanted?: string): boolean {
  // `Event.wait` where Python has qualified names, `wait` elsewhere.
  return (
    new RegExp(`[/\\\\]multiprocessing[/\\\\]${module}\\.py$`).test(file) &&
    (wanted === undefined || name.slice(name.lastIndexOf('.') + 1) === wanted)
  )
}

/** ` in work (train.py:12)`: its innermost line that is the user's. */
function placeOf({ stack }: ProgramWorkerFacts): string {
  const frame = own(stack ?? []).find(({ file }) => !libraryFile.test(file))
  return frame === undefined
    ? ''
    : ` in ${frame.function} (${frame.file.slice(frame.file.lastIndexOf('/') + 1)}:${frame.line})`
}

function adviceFor(
  awaited: ReadonlySet<Awaited>,
  here: Awaited,
  badly: readonly ProgramWorkerFacts[],
  pid: number,
): string {
  const end = ` Terminate the program (pid ${pid}).`
  if (badly.length > 0) {
    const names = list(
      badly.map(({ name }) => name),
      3,
    )
    const first = badly.every(({ exit }) => exit?.signal != null)
      ? `Find out what ended ${names}`
      : `Look for the traceback of ${names} in the output`
    const brings = awaited.has('lock')
      ? 'a lock stays taken for ever when the process that holds it is killed'
      : awaited.has('barrier')
        ? 'a barrier waits for as many processes as it was made for'
        : 'what it was to bring or to release never comes'
    return (
      `${first}: ${brings}. Release and set in a "finally:", give the wait a time limit, or use a ` +
      `concurrent.futures.ProcessPoolExecutor, which raises when a process dies.${end}`
    )
  }
  if (here === 'task_done')
    return `Call task_done() once for everything that get() has returned, in a "finally:": join() counts them.${end}`
  if (awaited.has('queue') && here === 'process')
    return (
      'Put an end mark (None) into the queue for every process that reads it, before join(); a process that may be ' +
      `ended at any time can be a daemon.${end}`
    )
  if (awaited.has('message'))
    return (
      'Send a last message, or close the writing end of the pipe in every process that does not write: a forked ' +
      `process has a copy of both ends, and recv() only raises EOFError when the last one is closed.${end}`
    )
  if (awaited.has('barrier'))
    return `A barrier waits for as many processes as it was made for: compare that with how many are there.${end}`
  if (awaited.has('lock'))
    return (
      'Take several locks in the same order everywhere, and no lock twice (an RLock allows that); give acquire() a ' +
      `timeout to find out who waits.${end}`
    )
  if (awaited.has('event') || awaited.has('condition'))
    return `Nobody is left who sets or notifies: do that in a "finally:", and give wait() a timeout.${end}`
  return `Nobody is left who could bring what is waited for: give the wait a time limit, and look at the stacks.${end}`
}
