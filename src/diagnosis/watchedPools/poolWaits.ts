import type { ProgramWorkerFacts, StackFrameFacts } from './facts'

/**
 * The functions of pools that wait, by file. Submitting waits in a forked copy of a pool: the copy may have a lock that
 * was taken at the time of the fork.
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
 * The frames that wait for a pool. Frames outside of `_bootstrap` belong to the parent, for example `submit()`: a fork
 * keeps them on the stack.
 */
export function poolWaits(stack: ProgramWorkerFacts['stack']): readonly StackFrameFacts[] {
  const begin =
    stack?.findIndex(
      ({ file, function: name }) =>
        /[/\\](multiprocessing|billiard)[/\\]process\.py$/.test(file) && /(^|\.)_bootstrap$/.test(name),
    ) ?? -1
  return (begin === -1 ? stack : stack?.slice(0, begin))?.filter(isPoolWait) ?? []
}

function isPoolWait({ file, function: name }: StackFrameFacts): boolean {
  // Python 3.11 and later have the qualified name, `AsyncResult.get`.
  const plain = name.slice(name.lastIndexOf('.') + 1)
  return waits.some(([path, functions]) => path.test(file) && functions.has(plain))
}
