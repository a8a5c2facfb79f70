import { message, type Message } from '../messages'
import type { ProgramPoolFacts, ProgramWorkerFacts, StackFrameFacts } from './facts'

/** The thing that a process of a program waits for, by the function of `multiprocessing` that it is in. */
export type Awaited =
  'lock' | 'own lock' | 'event' | 'condition' | 'barrier' | 'queue' | 'room' | 'task_done' | 'message' | 'process'

const libraryFile = /[/\\](multiprocessing|unhang_observer)[/\\][^/\\]+$|[/\\]threading\.py$|^<frozen /

/** `a lock`, `something in a queue`. */
export function awaitedInWords(awaited: Awaited): Message {
  switch (awaited) {
    case 'lock':
      return message('a lock')
    case 'own lock':
      return message('a lock of its own')
    case 'event':
      return message('an event')
    case 'condition':
      return message('a condition')
    case 'barrier':
      return message('a barrier')
    case 'queue':
      return message('something in a queue')
    case 'room':
      return message('room in a queue')
    case 'task_done':
      return message('task_done() for everything in a queue')
    case 'message':
      return message('a message in a pipe')
    case 'process':
      return message('the end of a process')
  }
}

/** Undefined when something outside of the program may wake it, or when unknown. `live`: number of its processes. */
export function awaitedByProgram({ parent }: ProgramPoolFacts, live: number): Awaited | undefined {
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

/** Undefined when something outside of the program may wake it, or when unknown. */
export function awaitedByWorker(worker: ProgramWorkerFacts): Awaited | undefined {
  const { wait, stack, standsStillMs, state } = worker
  if (wait === null || standsStillMs === 0 || state !== 'sleeping') return undefined
  if (wait.kind === 'child') return isInLibrary(worker) ? 'process' : undefined
  // Any process could write to the pipe, unless multiprocessing reads it.
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

/** It waits in a function of multiprocessing, or for a private lock, which no other process could release anyway. */
export function isInLibrary({ stack, wait }: ProgramWorkerFacts): boolean {
  return (
    wait?.isPrivate === true ||
    isIn(stack, 'queues') ||
    isIn(stack, 'synchronize') ||
    isIn(stack, 'connection') ||
    isIn(stack, 'process', 'join')
  )
}

/** `work (train.py:12)`: the innermost line of the user's own code; undefined when unknown. */
export function placeOf({ stack }: ProgramWorkerFacts): string | undefined {
  const frame = own(stack ?? []).find(({ file }) => !libraryFile.test(file))
  return frame && `${frame.function} (${frame.file.slice(frame.file.lastIndexOf('/') + 1)}:${frame.line})`
}

/** The frames of the process itself: those outside of `_bootstrap` belong to the process that forked it. */
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
