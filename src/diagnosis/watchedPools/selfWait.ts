import type { ProgramPoolFacts, ProgramVerdict, ProgramWorkerFacts, StackFrameFacts } from './facts'
import { durationInWords } from '../words'
import { isAnythingQueued, isBusy, liveWorkers, quietEnoughMs } from './conditions'
import { framesInWords, nameOf, taskName, whereEvidence } from './phrases'

/**
 * Where the functions of pools are that wait, and what they are called. Handing something in is one of them in a copy:
 * the lock for that may have been copied while it was taken.
 */
const waits: readonly (readonly [file: RegExp, functions: ReadonlySet<string>])[] = [
  [
    /(^|[/\\])(multiprocessing|billiard)[/\\]pool\.py$/,
    new Set([
      'get',
      'wait',
      'map',
      'starmap',
      'apply',
      'imap',
      'imap_unordered',
      'next',
      '__next__',
      'join',
      'apply_async',
      'map_async',
      'starmap_async',
    ]),
  ],
  [
    /(^|[/\\])concurrent[/\\]futures[/\\](_base|process)\.py$/,
    new Set(['result', 'exception', 'wait', 'as_completed', 'result_iterator', 'shutdown', 'submit', 'map']),
  ],
  [
    /(^|[/\\])loky[/\\](_base|process_executor|reusable_executor)\.py$/,
    new Set(['result', 'wait', 'shutdown', 'submit', 'map']),
  ],
]

/** The stack shows that the worker itself waits for results of a pool. */
export function isInPoolWait({ stack }: ProgramWorkerFacts): boolean {
  return poolWaits(stack).length > 0
}

/**
 * The frames that wait for a pool. What is below `_bootstrap` is the program's: a fork leaves it on the stack,
 * `submit()` for example.
 */
function poolWaits(stack: ProgramWorkerFacts['stack']): readonly StackFrameFacts[] {
  const begin =
    stack?.findIndex(
      ({ file, function: name }) =>
        /[/\\](multiprocessing|billiard)[/\\]process\.py$/.test(file) && /(^|\.)_bootstrap$/.test(name),
    ) ?? -1
  return (begin === -1 ? stack : stack?.slice(0, begin))?.filter(isPoolWait) ?? []
}

function isPoolWait({ file, function: name }: StackFrameFacts): boolean {
  // `Lib/multiprocessing/pool.py` in `AsyncResult.get` of Python 3.11 and later, where the name is the qualified one.
  const plain = name.slice(name.lastIndexOf('.') + 1)
  return waits.some(([path, functions]) => path.test(file) && functions.has(plain))
}

/**
 * A task waits for results of a pool that only it, or its own siblings, could bring (facts: cause 20): a worker's
 * forked copy of the pool has no thread to serve it, and when all workers wait, nobody is left to work. One with a pool
 * of its own waits for that.
 */
export function selfWait(facts: ProgramPoolFacts): readonly ProgramVerdict[] {
  // What its stack showed before it moved on tells nothing: it may wait for something else by now, and its own pool be
  // gone.
  const waiting = liveWorkers(facts).filter(
    (worker) =>
      worker.phase === 'running' &&
      worker.quietMs >= quietEnoughMs &&
      worker.wait?.timed !== true &&
      worker.stackIsOfWait &&
      worker.waitsMs > 0 &&
      isInPoolWait(worker) &&
      !worker.hasPools,
  )
  const allWait =
    waiting.length > 0 &&
    isAnythingQueued(facts) &&
    liveWorkers(facts).every((worker) => isBusy(worker) && waiting.includes(worker))
  return waiting.flatMap((worker) => {
    const isAlone = worker.threads === 1 && worker.aloneMs > 0
    if (!isAlone && !allWait) return []
    const { task, stack } = worker
    const frames = poolWaits(stack)
    return [
      {
        code: 'self-wait' as const,
        summary: isAlone
          ? `${nameOf(worker)} of ${facts.pool} will wait for ever: ${task === null ? 'its task' : taskName(task)} ` +
            'uses a pool, but it has only a copy of that pool, without the threads that serve it.'
          : `${nameOf(worker)} of ${facts.pool} will wait for ever: ${task === null ? 'its task' : taskName(task)} ` +
            'waits for results of a pool whose workers all wait like this.',
        evidence: [
          { what: 'waits in', value: framesInWords(frames) },
          ...whereEvidence(worker),
          { what: `threads of ${worker.name}`, value: worker.threads === null ? 'unknown' : String(worker.threads) },
          ...(allWait
            ? [
                {
                  what: 'workers that wait like this',
                  value: `all ${waiting.length}, with ${facts.queued ?? 0} tasks queued`,
                },
              ]
            : []),
          { what: 'CPU time', value: `none for ${durationInWords(worker.quietMs)}` },
        ],
        advice:
          'Do not wait for a pool inside of its own tasks: return what is to be done next, and let the ' +
          'program submit it.',
        confidence: isAlone ? ('certain' as const) : ('likely' as const),
        stuck: true,
        worker: worker.name,
        pid: worker.pid,
        task: task?.id ?? null,
        rescue: [],
      },
    ]
  })
}
