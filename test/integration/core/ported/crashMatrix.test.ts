/** Ported from loky, tests/test_reusable_executor.py: the 16 cases of `crash_cases`, and abort() beside them. */
import { describe, it } from 'vitest'
import type { AsyncResult } from '../../../../src/core'
import { atResultPickle, atResultUnpickle, atTaskPickle, atTaskUnpickle, duringRun, expectFailure } from './failures'
import type { Failure } from './failures'
import { runtimes, sharedPoolOf, within } from './runtimes'

const crashCases: readonly (readonly [string, Failure])[] = [
  ['ExitAtPickle of an argument', atTaskPickle('exit')],
  ['ErrorAtPickle of an argument', atTaskPickle('error')],
  ['ExitAtUnpickle of a task', atTaskUnpickle('exit')],
  ['CExitAtUnpickle of a task', atTaskUnpickle('c_exit')],
  ['ErrorAtUnpickle of a task', atTaskUnpickle('error')],
  ['CrashAtUnpickle of a task', atTaskUnpickle('crash')],
  ['abort at unpickling a task', atTaskUnpickle('abort')],
  ['crash', duringRun('crash')],
  ['exit', duringRun('exit')],
  ['c_exit', duringRun('c_exit')],
  ['raise_error', duringRun('error')],
  ['abort', duringRun('abort')],
  ['CrashAtPickle of a result', atResultPickle('crash')],
  ['ExitAtPickle of a result', atResultPickle('exit')],
  ['CExitAtPickle of a result', atResultPickle('c_exit')],
  ['ErrorAtPickle of a result', atResultPickle('error')],
  ['abort at pickling a result', atResultPickle('abort')],
  ['ExitAtUnpickle of a result', atResultUnpickle('exit')],
  ['ErrorAtUnpickle of a result', atResultUnpickle('error')],
]

describe.each(runtimes)('$name: TestExecutorDeadLock', (runtime) => {
  const shared = sharedPoolOf(runtime)

  it.each(crashCases)('test_crashes: %s', async (_, failure) => {
    await expectFailure(failure, shared.pool, runtime)
  })

  it.each(crashCases)('test_in_callback_submit_with_crash: %s', async (_, failure) => {
    const { pool } = shared
    // Long enough that the callback is called by the pool, and not while the task is handed in.
    const inCallback = () =>
      new Promise<AsyncResult>((resolve) => {
        pool.applyAsync('sleep', [10], {
          callback: () => {
            resolve(failure.submit(pool, runtime))
          },
        })
      })
    await expectFailure(failure, pool, runtime, () => within(inCallback(), 'the callback'))
  })
})
