import { commaSeparated, message, type Message, type Text } from '../messages'
import {
  certainIfAnswers,
  isAnythingAwaited,
  isAnythingQueued,
  isOpen,
  isPool,
  itemsLeft,
  lockQuietMs,
} from './conditions'
import { parentEvidence, unreadResultsEvidence } from './poolEvidence'
import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import { programVerdict } from './programVerdict'

type Threads = NonNullable<ProgramPoolFacts['threads']>
type Thread = keyof Threads

/**
 * A thread of the pool in the parent has ended while calls wait: results are not read, or tasks not handed out any more
 * (cause 5 in README.md; an exception that cannot be unpickled ends `_handle_results`, as does one that a callback
 * raises).
 */
export function resultThreadDead(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, threads, parent, jobs } = facts
  // A pool that ends its threads may have queued tasks, but no call that waits.
  if (!isPool(facts) || !isOpen(facts) || threads === null || jobs.length === 0) return []
  // All results have arrived, but the callback raised before the call was notified.
  const isUnnotified = !isAnythingAwaited(facts)
  if (isUnnotified && (threads.results !== false || parent.quietMs < lockQuietMs)) return []
  const dead = deadThread(facts, threads)
  if (dead === undefined) return []
  const stuck = dead !== 'workers'
  const effect = isUnnotified ? unnotifiedInWords(jobs.length) : missingInWords(itemsLeft(facts))
  return [
    programVerdict({
      code: 'result-thread-dead',
      summary: stuck
        ? message('{0} will wait for ever: {1}, and {2}.', pool, endInWords(facts, dead), effect)
        : message('{0} cannot replace workers any more: {1}, and {2}.', pool, endInWords(facts, dead), effect),
      evidence: [
        { what: message('threads of the pool'), value: threadsInWords(threads) },
        ...unreadResultsEvidence(facts),
        ...parentEvidence(facts),
      ],
      advice:
        threads.results === false
          ? message(
              'Terminate the program (pid {0}). What raises in this thread ends it: a callback or error_callback of ' +
                'yours, or an exception or result that cannot be unpickled, often an exception class whose __init__ ' +
                'wants more than a message. Its traceback is in the output.',
              parent.pid,
            )
          : message(
              'Terminate the program (pid {0}), and look for the traceback of that thread in its output.',
              parent.pid,
            ),
      confidence: threads.results === false ? certainIfAnswers(facts) : 'likely',
      stuck,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    }),
  ]
}

function deadThread(facts: ProgramPoolFacts, threads: Threads): Thread | undefined {
  // The finalizer of a pool ends the thread that replaces workers first, while the state remains `run`.
  if (threads.results === false && threads.workers !== false) return 'results'
  if (facts.parent.quietMs < lockQuietMs) return undefined
  if (threads.results === false) return 'results'
  // Its end also ends the thread that hands out tasks.
  if (threads.workers === false) return 'workers'
  // A closed pool of billiard ends it as soon as all tasks are in the pipe, from which the workers read.
  const hasHandedOutAll = facts.library === 'billiard' && facts.state === 'close'
  return threads.tasks === false && !hasHandedOutAll && isAnythingQueued(facts) ? 'tasks' : undefined
}

function endInWords({ library }: ProgramPoolFacts, dead: Thread): Message {
  const isExecutor = library !== 'multiprocessing' && library !== 'billiard'
  const manager: Text = message('the executor manager')
  switch (dead) {
    case 'results':
      return message('its thread that receives the results ({0}) has ended', isExecutor ? manager : '_handle_results')
    case 'workers':
      return message('its thread that replaces workers ({0}) has ended', isExecutor ? manager : '_handle_workers')
    case 'tasks':
      return message(
        'its thread that hands out tasks ({0}) has ended',
        isExecutor ? message('the feeder of the call queue') : '_handle_tasks',
      )
  }
}

function unnotifiedInWords(calls: number): Message {
  return calls === 1
    ? message('1 call that has all results was not told')
    : message('{0} calls that have all results were not told', calls)
}

function missingInWords(results: number): Message {
  return results === 1 ? message('1 result is not there yet') : message('{0} results are not there yet', results)
}

function threadsInWords({ results, tasks, workers }: Threads): Text {
  const state = (isAlive: boolean | null): Message =>
    isAlive === null ? message('none') : isAlive ? message('alive') : message('ended')
  return commaSeparated([
    message('results: {0}', state(results)),
    message('tasks: {0}', state(tasks)),
    message('workers: {0}', state(workers)),
  ])
}
