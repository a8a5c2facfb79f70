import { list, message, type Message, type Text } from '../messages'
import type {
  JobFacts,
  ProgramExitFacts,
  ProgramTaskFacts,
  ProgramWorkerFacts,
  StackFrameFacts,
  WaitFacts,
} from './facts'

/** Names and parts of sentences in the verdicts on watched pools. */

/** `ForkPoolWorker-3 (pid 4711)`. */
export function nameOf({ name, pid }: Pick<ProgramWorkerFacts, 'name' | 'pid'>): Message {
  return message('{0} (pid {1})', name, pid)
}

/** `task 7 run(7)`. */
export function taskName({ id, label }: ProgramTaskFacts): Message {
  // The observer makes a label of the id where the task has no name.
  return label === `task ${id}` || label === '' ? message('task {0}', id) : message('task {0} {1}', id, label)
}

/** `task 7 run(7)`, or without a task `its task`. */
export function taskOrIts(task: ProgramTaskFacts | null): Message {
  return task === null ? message('its task') : taskName(task)
}

/** `exited with code 1`, `was ended by SIGKILL`. */
export function endedHow({ exitCode, signal }: ProgramExitFacts): Message {
  if (signal !== null) return message('was ended by {0}', signal)
  return exitCode === null ? message('ended') : message('exited with code {0}', exitCode)
}

/** `ForkPoolWorker-3 (pid 4711) exited with code 1`. */
export function ended(subject: Text, { exitCode, signal }: Pick<ProgramExitFacts, 'exitCode' | 'signal'>): Message {
  if (signal !== null) return message('{0} was ended by {1}', subject, signal)
  return exitCode === null ? message('{0} ended', subject) : message('{0} exited with code {1}', subject, exitCode)
}

/** `ForkPoolWorker-3 (pid 4711) of train.py:42 cannot go on with task 7 run(7)`. */
export function cannotGoOn(worker: ProgramWorkerFacts, pool: string): Message {
  return worker.task === null
    ? message('{0} of {1} cannot go on', nameOf(worker), pool)
    : message('{0} of {1} cannot go on with {2}', nameOf(worker), pool, taskName(worker.task))
}

/** `a lock: futex 0x7f…, shared between processes (futex_do_wait)`. */
export function waitInWords(wait: WaitFacts): Text {
  const { kind, wchan } = wait
  switch (kind) {
    case 'futex':
      return withFunction(futexInWords(wait), wchan)
    case 'pipe-read':
    case 'socket-read':
    case 'pipe-write':
    case 'socket-write':
      return withFunction(transferInWords(wait), wchan)
    case 'poll':
      return withFunction(message('input or a timer'), wchan)
    case 'child':
      return withFunction(
        wait.child === null ? message('a child process') : message('the end of process {0}', wait.child),
        wchan,
      )
    case 'sleep':
      return withFunction(message('a timer'), wchan)
    case 'running':
      return message('nothing: it runs')
    case 'other':
      return wchan === '' ? message('unknown') : wchan
  }
}

/** @param wchan The function of the kernel. */
function withFunction(text: Text, wchan: string): Text {
  return wchan === '' ? text : message('{0} ({1})', text, wchan)
}

function futexInWords({ address, isPrivate, timed }: WaitFacts): Message {
  if (address === null) return message('a lock')
  const lock = isPrivate
    ? message('a lock: futex {0}, of this process alone', address)
    : message('a lock: futex {0}, shared between processes', address)
  return timed ? message('{0}, with a time limit', lock) : lock
}

function transferInWords({ kind, descriptor, target }: WaitFacts): Text {
  const isRead = kind === 'pipe-read' || kind === 'socket-read'
  if (isRead && descriptor === 0)
    return target === null ? message('reading from stdin') : message('reading from stdin, {0}', target)
  const transfer = isRead ? readInWords(descriptor) : writeInWords(descriptor)
  if (target !== null) return message('{0}, {1}', transfer, target)
  switch (kind) {
    case 'pipe-read':
      return message('{0} from a pipe', transfer)
    case 'socket-read':
      return message('{0} from a socket', transfer)
    case 'pipe-write':
      return message('{0} to a pipe', transfer)
    default:
      return message('{0} to a socket', transfer)
  }
}

function readInWords(descriptor: number | null): Message {
  return descriptor === null ? message('reading') : message('reading from descriptor {0}', descriptor)
}

function writeInWords(descriptor: number | null): Message {
  return descriptor === null ? message('writing') : message('writing to descriptor {0}', descriptor)
}

/** A Python process begins here; with fork, the frames outside of it belong to its parent. */
const processFile = /(^|[/\\])(multiprocessing|billiard|loky[/\\]backend)[/\\]process\.py$/

/**
 * `pool.py:768 get, train.py:12 run`, innermost first. The libraries take some six frames between the wait and the
 * user's own code.
 */
export function framesInWords(stack: readonly StackFrameFacts[], most = 10): Text {
  const begin = stack.findIndex(({ file }) => processFile.test(file))
  return list(
    (begin > 0 ? stack.slice(0, begin) : stack).map(
      ({ file, line, function: name }) => `${file.slice(file.lastIndexOf('/') + 1)}:${line} ${name}`,
    ),
    most,
  )
}

/** The sentence with its period and `11 of 12 results arrived`, unless there is one result, or an unknown number. */
export function withArrived(sentence: Text, jobs: readonly JobFacts[]): Message {
  let total = 0
  let left = 0
  for (const job of jobs) {
    if (job.total === null || job.left === null) return message('{0}.', sentence)
    total += job.total
    left += job.left
  }
  return total > 1
    ? message('{0}; {1}.', sentence, message('{0} of {1} results arrived', total - left, total))
    : message('{0}.', sentence)
}
