/** Ported from CPython 3.13, Lib/test/test_concurrent_futures/test_deadlock.py: class ExecutorDeadlockTest. */
import { describe, expect, it } from 'vitest'
import { SerializationError, WorkerLostError } from '../../../../src/core'
import { readyPids, rejection, stateOf, until } from '../support'
import { atResultPickle, atResultUnpickle, atTaskPickle, atTaskUnpickle, duringRun, expectFailure } from './failures'
import type { Failure } from './failures'
import { closeAndJoin, poolOf, range, runtimes, within } from './runtimes'

/** More than any pipe or socket holds (CPython's support.PIPE_MAX_SIZE). */
const pipeMaxSize = 4 * 1024 * 1024 + 1

const crashes: readonly (readonly [string, Failure])[] = [
  ['test_error_at_task_pickle', atTaskPickle('error')],
  ['test_exit_at_task_unpickle', atTaskUnpickle('exit')],
  ['test_error_at_task_unpickle', atTaskUnpickle('error')],
  ['test_crash_at_task_unpickle', atTaskUnpickle('crash')],
  ['test_crash_during_func_exec_on_worker', duringRun('crash')],
  ['test_exit_during_func_exec_on_worker', duringRun('exit', 1)],
  ['test_error_during_func_exec_on_worker', duringRun('error')],
  ['test_crash_during_result_pickle_on_worker', atResultPickle('crash')],
  ['test_exit_during_result_pickle_on_worker', atResultPickle('exit', 1)],
  ['test_error_during_result_pickle_on_worker', atResultPickle('error')],
  ['test_error_during_result_unpickle_in_result_handler', atResultUnpickle('error')],
  ['test_exit_during_result_unpickle_in_result_handler', atResultUnpickle('exit')],
]

describe.each(runtimes)('$name: ExecutorDeadlockTest', (runtime) => {
  it.each(crashes)('%s', async (_, failure) => {
    const pool = poolOf(runtime)
    await expectFailure(failure, pool, runtime)
    await closeAndJoin(pool)
  })

  it('test_shutdown_deadlock', async () => {
    const pool = poolOf(runtime)
    const result = pool.applyAsync('crash', [100])
    await closeAndJoin(pool)
    expect(result.ready()).toBe(true)
    expect(await rejection(result.get())).toMatchObject({ name: 'WorkerLostError', signal: 'SIGSEGV' })
  })

  it('test_shutdown_deadlock_pickle', async () => {
    const pool = poolOf(runtime)
    expect(await pool.apply('identity', [42])).toBe(42)
    const result = atTaskPickle('error').submit(pool, runtime)
    pool.close()
    expect(await rejection(within(result.get(), 'get()'))).toBeInstanceOf(SerializationError)
    await closeAndJoin(pool)
  })

  it('test_crash_big_data', async () => {
    const pool = poolOf(runtime)
    const data = 'a'.repeat(pipeMaxSize)
    const error = await rejection(
      within(pool.map('crash_with_data', Array<string>(6).fill(data), { chunkSize: 1 }), 'map()'),
    )
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ signal: 'SIGSEGV' })
    expect(pool.counts).toMatchObject({ lost: 6, queued: 0, running: 0 })
    expect(await pool.apply('sqr', [7])).toBe(49)
    await closeAndJoin(pool)
  })

  it('test_crash_big_data: in the middle of the arguments', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    const [pid = 0] = await readyPids(pool)
    await pause(pid)
    // It reads nothing of this, so that most of it is still here when it dies.
    const result = pool.applyAsync('identity', ['a'.repeat(pipeMaxSize)])
    const next = pool.applyAsync('sqr', [7])
    await until(() => pool.counts.running === 1, 'the task is sent')
    process.kill(pid, 'SIGKILL')
    expect(await rejection(within(result.get(), 'get()'))).toMatchObject({
      name: 'WorkerLostError',
      signal: 'SIGKILL',
      pid,
    })
    expect(await within(next.get(), 'the task behind it')).toBe(49)
    await closeAndJoin(pool)
  })

  it('test_gh105829_should_not_deadlock_if_wakeup_pipe_full', async () => {
    const pool = poolOf(runtime)
    // Known to be short, so that tasks are sent ahead.
    await pool.map('identity', range(50), { chunkSize: 1 })
    const pids = await readyPids(pool)
    for (const pid of pids) await pause(pid)
    const text = 'b'.repeat(64 * 1024)
    // Both channels are full long before the last one, and nobody reads them: handing in must not wait for that.
    const results = range(100).map((i) => pool.applyAsync<[number, string]>('identity', [[i, text]]))
    await until(() => pool.counts.running > 0, 'tasks are sent')
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    expect(results.filter((result) => result.ready())).toEqual([])
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    const values = await within(Promise.all(results.map((result) => result.get())), 'all 100 tasks')
    expect(values.map(([i]) => i)).toEqual(range(100))
    expect(values.every(([, same]) => same === text)).toBe(true)
    expect(pool.exitedWorkerCount).toBe(0)
    await closeAndJoin(pool)
  })

  it(
    'a worker that stops between two tasks, with more of them sent ahead, does not keep its ' + 'place for ever',
    async () => {
      const pool = poolOf(runtime, { processes: 1 })
      const [pid = 0] = await readyPids(pool)
      await pool.map('stop_between_tasks', Array<boolean>(20).fill(false), { chunkSize: 1 })
      const results = range(60).map((i) => pool.applyAsync('stop_between_tasks', [i === 10]))
      expect(await within(Promise.all(results.map((result) => result.get())), 'all tasks')).toEqual(
        results.map(() => true),
      )
      expect(pool.exitedWorkers).toEqual([expect.objectContaining({ pid })])
      expect(pool.counts).toMatchObject({ done: 80, lost: 0 })
      await closeAndJoin(pool)
    },
  )
})

/** Stops a worker of ours, and waits until it has stopped. */
async function pause(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await until(() => stateOf(pid) === 'T', `process ${pid} is stopped`)
}
