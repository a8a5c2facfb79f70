import { list, message, sentences, type Message, type Text } from '../messages'
import type { Awaited } from './awaited'
import type { ProgramWorkerFacts } from './facts'

/**
 * Advice for a program whose processes all wait.
 * @param here What the main process waits for.
 * @param failed Processes that a signal or an error ended.
 */
export function standstillAdvice(
  awaited: ReadonlySet<Awaited>,
  here: Awaited,
  failed: readonly ProgramWorkerFacts[],
  pid: number,
): Text {
  return sentences(
    ...(failed.length > 0 ? adviceOnExits(awaited, failed) : [adviceOnWaits(awaited, here)]),
    message('Terminate the program (pid {0}).', pid),
  )
}

function adviceOnExits(awaited: ReadonlySet<Awaited>, failed: readonly ProgramWorkerFacts[]): Message[] {
  const names = list(
    failed.map(({ name }) => name),
    3,
  )
  const first = failed.every(({ exit }) => exit?.signal != null)
    ? message('Find out what ended {0}', names)
    : message('Look for the traceback of {0} in the output', names)
  return [
    message('{0}: {1}.', first, effectOfExit(awaited)),
    message(
      'Release and set in a "finally:", give the wait a time limit, or use a concurrent.futures.ProcessPoolExecutor, ' +
        'which raises when a process dies.',
    ),
  ]
}

function effectOfExit(awaited: ReadonlySet<Awaited>): Message {
  if (awaited.has('lock')) return message('a lock stays taken for ever when the process that holds it is killed')
  return awaited.has('barrier')
    ? message('a barrier waits for as many processes as it was made for')
    : message('what it was to bring or to release never comes')
}

function adviceOnWaits(awaited: ReadonlySet<Awaited>, here: Awaited): Message {
  if (here === 'task_done')
    return message('Call task_done() once for everything that get() has returned, in a "finally:": join() counts them.')
  if (awaited.has('queue') && here === 'process')
    return message(
      'Put an end mark (None) into the queue for every process that reads it, before join(); a process that may be ' +
        'ended at any time can be a daemon.',
    )
  if (awaited.has('message'))
    return message(
      'Send a last message, or close the writing end of the pipe in every process that does not write: a forked ' +
        'process has a copy of both ends, and recv() only raises EOFError when the last one is closed.',
    )
  if (awaited.has('barrier'))
    return message('A barrier waits for as many processes as it was made for: compare that with how many are there.')
  if (awaited.has('lock'))
    return message(
      'Take several locks in the same order everywhere, and no lock twice (an RLock allows that); give acquire() a ' +
        'timeout to find out who waits.',
    )
  if (awaited.has('event') || awaited.has('condition'))
    return message('Nobody is left who sets or notifies: do that in a "finally:", and give wait() a timeout.')
  return message(
    'Nobody is left who could bring what is waited for: give the wait a time limit, and look at the stacks.',
  )
}
