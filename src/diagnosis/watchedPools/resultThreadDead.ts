import type { ProgramPoolFacts, ProgramVerdict } from './facts'
import {
  certainIfAnswers,
  isAnythingAwaited,
  isAnythingQueued,
  isOpen,
  isPool,
  itemsLeft,
  lockQuietMs,
} from './conditions'
import { count, parentEvidence } from './phrases'

interface DeadThread {
  readonly what: string
  readonly handler: string
  readonly stuck: boolean
}

/**
 * A thread of the pool in the parent has ended while calls wait: results are no longer read, or tasks no longer handed
 * out (facts: cause 5; an exception that cannot be unpickled ends `_handle_results`, and so does one that a callback
 * raises).
 */
export function resultThreadDead(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  const { pool, threads, parent } = facts
  // What is queued without a call that waits is what ends the threads of a pool.
  if (!isPool(facts) || !isOpen(facts) || threads === null || facts.jobs.length === 0) return []
  // All results have arrived, but the callback of the call has raised before the call was told.
  const isUntold = !isAnythingAwaited(facts)
  if (isUntold && (threads.results !== false || parent.quietMs < lockQuietMs)) return []
  const dead = deadThread(facts, threads)
  if (dead === undefined) return []
  const alive = (['results', 'tasks', 'workers'] as const).map(
    (name) => `${name}: ${threads[name] === null ? 'none' : threads[name] ? 'alive' : 'ended'}`,
  )
  return [
    {
      code: 'result-thread-dead',
      summary:
        `${pool} ${dead.stuck ? 'will wait for ever' : 'cannot replace workers any more'}: its thread that ` +
        `${dead.what} (${dead.handler}) has ended, and ` +
        `${isUntold ? `${count(facts.jobs.length, 'call')} that ${facts.jobs.length === 1 ? 'has' : 'have'} all results ${facts.jobs.length === 1 ? 'was' : 'were'} not told` : `${count(itemsLeft(facts), 'result')} ${itemsLeft(facts) === 1 ? 'is' : 'are'} not there yet`}.`,
      evidence: [
        { what: 'threads of the pool', value: alive.join(', ') },
        ...(facts.resultPipeBytes === null
          ? []
          : [{ what: 'results in the pipe that nobody reads', value: `${facts.resultPipeBytes} bytes` }]),
        ...parentEvidence(facts),
      ],
      advice:
        threads.results === false
          ? `Terminate the program (pid ${parent.pid}). What raises in this thread ends it: a callback or ` +
            'error_callback of yours, or an exception or result that cannot be unpickled, often an exception class ' +
            'whose __init__ wants more than a message. Its traceback is in the output.'
          : `Terminate the program (pid ${parent.pid}), and look for the traceback of that thread in its output.`,
      confidence: threads.results === false ? certainIfAnswers(facts) : 'likely',
      stuck: dead.stuck,
      worker: null,
      pid: null,
      task: null,
      rescue: [],
    },
  ]
}

function deadThread(
  facts: ProgramPoolFacts,
  threads: NonNullable<ProgramPoolFacts['threads']>,
): DeadThread | undefined {
  // A pool that is taken down by its finalizer ends the thread that replaces workers first, and says `run` all the
  // time.
  if (threads.results === false && threads.workers !== false)
    return { what: 'receives the results', handler: handlerOf(facts, '_handle_results'), stuck: true }
  if (facts.parent.quietMs < lockQuietMs) return undefined
  if (threads.results === false)
    return { what: 'receives the results', handler: handlerOf(facts, '_handle_results'), stuck: true }
  // It takes the thread that hands out tasks along when it ends.
  if (threads.workers === false)
    return { what: 'replaces workers', handler: handlerOf(facts, '_handle_workers'), stuck: false }
  // A closed pool of billiard ends it as soon as everything is in the pipe, where the workers take it from.
  const hasHandedOutAll = facts.library === 'billiard' && facts.state === 'close'
  if (threads.tasks === false && !hasHandedOutAll && isAnythingQueued(facts))
    return { what: 'hands out tasks', handler: handlerOf(facts, '_handle_tasks'), stuck: true }
  return undefined
}

function handlerOf({ library }: ProgramPoolFacts, handler: string): string {
  return library === 'multiprocessing' || library === 'billiard'
    ? handler
    : handler === '_handle_tasks'
      ? 'the feeder of the call queue'
      : 'the executor manager'
}
