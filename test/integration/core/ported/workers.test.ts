/**
 * Ported from CPython 3.13, Lib/test/_test_multiprocessing.py: classes _TestPoolWorkerErrors and
 * _TestPoolWorkerLifetime.
 */
import { describe, expect, it } from 'vitest'
import { PoolOptionError, SerializationError } from '../../../../src/core'
import type { ModulePoolOptions } from '../../../../src/core'
import { readyPids, rejection, until } from '../support'
import { runProgram } from './program'
import { closeAndJoin, poolOf, range, runtimes, within } from './runtimes'

describe.each(runtimes)('$name: _TestPoolWorkerErrors', (runtime) => {
  it('test_async_error_callback', async () => {
    const pool = poolOf(runtime)
    const heard: unknown[] = []
    const result = pool.applyAsync('raising', [], { errorCallback: (error) => heard.push(error) })
    const error = await rejection(within(result.get(), 'get()'))
    expect(error).toMatchObject({ name: 'KeyError' })
    expect((error as Error).message).toContain('key')
    expect(heard).toEqual([error])
    expect(result.successful()).toBe(false)
    await closeAndJoin(pool)
    expect(heard).toHaveLength(1)
  })

  it('test_unpickleable_result', async () => {
    const pool = poolOf(runtime)
    const pids = await readyPids(pool)
    for (const iteration of range(20)) {
      const heard: unknown[] = []
      const result = pool.applyAsync('unpickleable_result', [], { errorCallback: (error) => heard.push(error) })
      const error = await rejection(within(result.get(), `get() of ${iteration}`))
      expect(error).toBeInstanceOf(SerializationError)
      expect(error).toMatchObject({
        what: 'result',
        path: 'result',
        taskId: result.taskIds[0],
        detail: expect.stringMatching(/could not be cloned|is a function/) as unknown,
      })
      expect(heard).toEqual([error])
    }
    // No worker is lost by it.
    expect(pool.workers.map(({ pid }) => pid)).toEqual(pids)
    expect(pool.exitedWorkerCount).toBe(0)
    await closeAndJoin(pool)
  })
})

describe.each(runtimes)('$name: _TestPoolWorkerLifetime', (runtime) => {
  it('test_pool_worker_lifetime', async () => {
    const pool = poolOf(runtime, { processes: 3, maxTasksPerChild: 10 })
    const original = await readyPids(pool)
    expect(original).toHaveLength(3)
    const results = range(100).map((i) => pool.applyAsync<number>('sqr', [i]))
    for (const [i, result] of results.entries()) expect(await within(result.get(), `task ${i}`)).toBe(i * i)
    // 100 tasks are the lives of ten workers, if the last of them had none to do after it.
    await until(() => pool.exitedWorkerCount >= 8, 'workers that have done their tasks leave')
    const final = await readyPids(pool)
    expect(final).toHaveLength(3)
    expect(final.some((pid) => original.includes(pid))).toBe(false)
    expect(pool.exitedWorkers.filter(({ exitCode, tasksDone }) => exitCode !== 0 || tasksDone !== 10)).toEqual([])
    expect(pool.counts).toMatchObject({ done: 100, lost: 0 })
    await closeAndJoin(pool)
  })

  it('test_pool_worker_lifetime_early_close', async () => {
    const pool = poolOf(runtime, { processes: 3, maxTasksPerChild: 1 })
    const results = range(6).map((i) => pool.applyAsync<number>('sqr', [i, 300]))
    await closeAndJoin(pool)
    for (const [i, result] of results.entries()) {
      expect(result.ready()).toBe(true)
      expect(await result.get()).toBe(i * i)
    }
    expect(pool.exitedWorkers.filter(({ tasksDone }) => tasksDone > 1)).toEqual([])
  })

  it.each([0, -1, 0.5, '12'])('test_pool_maxtasksperchild_invalid: %j', (value) => {
    expect(() => poolOf(runtime, { maxTasksPerChild: value } as Partial<ModulePoolOptions>)).toThrow(
      expect.objectContaining({ name: PoolOptionError.name, option: 'maxTasksPerChild' }),
    )
  })

  it('test_worker_finalization_via_atexit_handler_of_multiprocessing', async () => {
    // The program neither closes nor terminates its pool.
    expect(await runProgram(runtime, 'exit')).toMatchObject({
      exitCode: 0,
      signal: null,
      stderr: '',
      values: range(10).map((i) => i * i),
    })
  })
})
