/** Ported from CPython 3.13, Lib/test/_test_multiprocessing.py: class _TestPool, 25 tests. */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  activeChildren,
  PoolOptionError,
  PoolStateError,
  RemoteTraceback,
  SerializationError,
  TaskCancelledError,
  terminatePools,
  TimeoutError,
  WorkerLostError,
} from '../../../../src/core'
import type { Pool } from '../../../../src/core'
import { rejection, until } from '../support'
import { closeAndJoin, nothingLeft, poolOf, range, runtimes, sharedPoolOf, within } from './runtimes'

class SayWhenError extends Error {
  override readonly name = 'SayWhenError'
}

/** Throws instead of item `when`; with -1 as soon as it is asked. */
function* exceptionThrowingGenerator(total: number, when: number): Generator<number> {
  if (when === -1) throw new SayWhenError('Somebody said when')
  for (let i = 0; i < total; i++) {
    if (i === when) throw new SayWhenError('Somebody said when')
    yield i
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Again: nothing must be left behind by the first time. */
async function twice(run: () => Promise<void>): Promise<void> {
  await run()
  await run()
}

const squares = (n: number): number[] => range(n).map((i) => i * i)
const numerically = (a: number, b: number): number => a - b
/** setTimeout and performance.now() do not count quite alike. */
const toleranceMs = 5

describe.each(runtimes)('$name: _TestPool', (runtime) => {
  const shared = sharedPoolOf(runtime, { processes: 4 })

  it('test_apply', async () => {
    expect(await shared.pool.apply('sqr', [5])).toBe(25)
    // An argument that has a default, in place of the original's keyword.
    expect(await shared.pool.apply('sqr', [3, 1])).toBe(9)
  })

  it('test_map', async () => {
    expect(await shared.pool.map('sqr', range(10))).toEqual(squares(10))
    expect(await shared.pool.map('sqr', range(100), { chunkSize: 20 })).toEqual(squares(100))
  })

  it('test_starmap', async () => {
    const tuples = (n: number) => range(n).map((i): [number, number] => [i, n - 1 - i])
    expect(await shared.pool.starmap('mul', tuples(10))).toEqual(tuples(10).map(([x, y]) => x * y))
    expect(await shared.pool.starmap('mul', tuples(100), { chunkSize: 20 })).toEqual(tuples(100).map(([x, y]) => x * y))
  })

  it('test_starmap_async', async () => {
    const tuples = range(100).map((i): [number, number] => [i, 99 - i])
    expect(await shared.pool.starmapAsync('mul', tuples).get()).toEqual(tuples.map(([x, y]) => x * y))
  })

  it('test_map_async', async () => {
    expect(await shared.pool.mapAsync('sqr', range(10)).get()).toEqual(squares(10))
  })

  it('test_map_async_callbacks', async () => {
    const callArgs: unknown[] = []
    const callbacks = {
      callback: (value: unknown) => {
        callArgs.push(value)
      },
      errorCallback: (error: unknown) => {
        callArgs.push(error)
      },
    }
    await shared.pool.mapAsync('int', ['1'], callbacks).wait()
    await until(() => callArgs.length > 0, 'the callback')
    expect(callArgs).toEqual([[1]])
    await shared.pool.mapAsync('int', ['a'], callbacks).wait()
    await until(() => callArgs.length > 1, 'the error callback')
    await shared.pool.apply('identity', [0])
    expect(callArgs).toEqual([
      [1],
      expect.objectContaining({
        name: 'ValueError',
        message: expect.stringContaining('invalid literal for int()') as unknown,
      }),
    ])
  })

  it('test_map_unplicklable', async () => {
    const unpicklable = {
      get field(): never {
        throw Object.assign(new Error('cannot pickle'), { name: 'RuntimeError' })
      },
    }
    const error = await rejection(within(shared.pool.map('sqr', Array<unknown>(10).fill(unpicklable)), 'map()'))
    expect(error).toBeInstanceOf(SerializationError)
    expect(error).toMatchObject({
      what: 'argument',
      path: 'items[0].field',
      detail: 'reading it threw RuntimeError: cannot pickle',
    })
    expect(await shared.pool.map('sqr', [2])).toEqual([4])
  })

  it('test_map_chunksize', async () => {
    expect(await shared.pool.mapAsync('sqr', [], { chunkSize: 1 }).get({ timeoutMs: 5000 })).toEqual([])
  })

  it('test_map_handle_iterable_exception', async () => {
    const { pool } = shared
    // As soon as the iterable is asked.
    await twice(async () => {
      expect(
        await rejection(within(pool.map('sqr', exceptionThrowingGenerator(1, -1), { chunkSize: 1 }), 'map()')),
      ).toBeInstanceOf(SayWhenError)
      expect(() => pool.mapAsync('sqr', exceptionThrowingGenerator(1, -1), { chunkSize: 1 })).toThrow(SayWhenError)
    })
    expect(
      await rejection(within(pool.map('sqr', exceptionThrowingGenerator(10, 3), { chunkSize: 1 }), 'map()')),
    ).toBeInstanceOf(SayWhenError)
    // It says how many items it has, and has none.
    const special = {
      length: 1,
      [Symbol.iterator]() {
        return this
      },
      next(): never {
        throw new SayWhenError()
      },
    }
    await twice(async () => {
      expect(await rejection(within(pool.map('sqr', special, { chunkSize: 1 }), 'map()'))).toBeInstanceOf(SayWhenError)
    })
    expect(await pool.map('sqr', [3])).toEqual([9])
  })

  it('test_async', async () => {
    const result = shared.pool.applyAsync('sqr', [7, 200])
    const started = performance.now()
    expect(await within(result.get(), 'get()')).toBe(49)
    expect(performance.now() - started).toBeGreaterThanOrEqual(200 - toleranceMs)
    expect([result.ready(), result.successful()]).toEqual([true, true])
  })

  it('test_async_timeout', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    const result = pool.applyAsync('sqr', [6, 60_000])
    const started = performance.now()
    const error = await rejection(result.get({ timeoutMs: 200 }))
    expect(performance.now() - started).toBeGreaterThanOrEqual(200 - toleranceMs)
    expect(performance.now() - started).toBeLessThan(30_000)
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ timeoutMs: 200, taskIds: result.taskIds })
    // The task itself goes on.
    await until(() => pool.counts.running === 1, 'the task runs')
    expect(result.ready()).toBe(false)
    expect(await pool.terminate()).toEqual([])
    await within(pool.join(), 'join()')
    expect(await rejection(result.get())).toBeInstanceOf(WorkerLostError)
  })

  it('test_imap', async () => {
    expect(await collect(shared.pool.imap('sqr', range(10)))).toEqual(squares(10))
    for (const [n, options] of [
      [10, {}],
      [1000, { chunkSize: 100 }],
    ] as const) {
      const results = shared.pool.imap('sqr', range(n), options)
      for (const i of range(n)) expect(await results.next()).toEqual({ done: false, value: i * i })
      expect(await results.next()).toEqual({ done: true, value: undefined })
    }
  })

  it('test_imap_handle_iterable_exception', async () => {
    await twice(async () => {
      const results = shared.pool.imap('sqr', exceptionThrowingGenerator(1, -1), { chunkSize: 1 })
      expect(await rejection(within(results.next(), 'next()'))).toBeInstanceOf(SayWhenError)
    })
    // What comes before the error arrives; the chunk that was begun when the iterable threw is lost with it.
    for (const [total, when, chunkSize, arrive] of [
      [10, 3, 1, 3],
      [20, 7, 2, 6],
      [20, 7, 4, 4],
    ] as const) {
      const results = shared.pool.imap('sqr', exceptionThrowingGenerator(total, when), { chunkSize })
      for (const i of range(arrive)) expect(await results.next()).toEqual({ done: false, value: i * i })
      expect(await rejection(within(results.next(), 'next()'))).toBeInstanceOf(SayWhenError)
      expect(await results.next()).toEqual({ done: true, value: undefined })
    }
  })

  it('test_imap_unordered', async () => {
    expect((await collect(shared.pool.imapUnordered<number>('sqr', range(10)))).sort(numerically)).toEqual(squares(10))
    expect(
      (await collect(shared.pool.imapUnordered<number>('sqr', range(1000), { chunkSize: 100 }))).sort(numerically),
    ).toEqual(squares(1000))
  })

  it('test_imap_unordered_handle_iterable_exception', async () => {
    await twice(async () => {
      const results = shared.pool.imapUnordered('sqr', exceptionThrowingGenerator(1, -1), { chunkSize: 1 })
      expect(await rejection(within(results.next(), 'next()'))).toBeInstanceOf(SayWhenError)
    })
    for (const [total, when, chunkSize, arrive] of [
      [10, 3, 1, 3],
      [20, 7, 2, 6],
    ] as const) {
      const results = shared.pool.imapUnordered<number>('sqr', exceptionThrowingGenerator(total, when), { chunkSize })
      const arrived: number[] = []
      const all = async () => {
        for await (const value of results) arrived.push(value)
      }
      expect(await rejection(within(all(), 'the loop'))).toBeInstanceOf(SayWhenError)
      expect(arrived.sort(numerically)).toEqual(squares(arrive))
    }
  })

  it('test_make_pool', async () => {
    for (const processes of [-1, 0]) {
      expect(() => poolOf(runtime, { processes })).toThrow(PoolOptionError)
      expect(() => poolOf(runtime, { processes })).toThrow(expect.objectContaining({ option: 'processes' }))
    }
    const pool = poolOf(runtime, { processes: 3 })
    await until(() => pool.workers.length > 0, 'workers are started')
    expect(pool.workers.map(({ name }) => name)).toEqual(['PoolWorker-1', 'PoolWorker-2', 'PoolWorker-3'])
    await closeAndJoin(pool)
  })

  it('test_terminate', async () => {
    const pool = poolOf(runtime)
    const result = pool.mapAsync('sleep', Array<number>(10_000).fill(300_000), { chunkSize: 1 })
    await until(() => pool.counts.running === 2, 'some tasks have started')
    const ids = result.taskIds
    expect(ids).toHaveLength(10_000)
    expect(await within(pool.terminate(), 'terminate()')).toEqual([])
    await within(pool.join(), 'join()')
    expect(pool.counts).toMatchObject({ queued: 0, running: 0, lost: 2, cancelled: 9998, done: 0 })
    expect(pool.exitedWorkers.map(({ exitCode, signal }) => [exitCode, signal])).toEqual([
      [null, 'SIGTERM'],
      [null, 'SIGTERM'],
    ])
    // One that had not begun is the first to end.
    expect(await rejection(result.get())).toBeInstanceOf(TaskCancelledError)
    await nothingLeft(pool)
  })

  it('test_empty_iterable', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    expect(await pool.map('sqr', [])).toEqual([])
    expect(await collect(pool.imap('sqr', []))).toEqual([])
    expect(await collect(pool.imapUnordered('sqr', []))).toEqual([])
    expect(await pool.mapAsync('sqr', []).get()).toEqual([])
    await closeAndJoin(pool)
  })

  it('test_context', async () => {
    let left: Pool
    {
      await using pool = poolOf(runtime)
      left = pool
      expect(await pool.mapAsync('sqr', range(10)).get()).toEqual(squares(10))
    }
    await within(left.join(), 'join()')
    await nothingLeft(left)
    expect(() => left.mapAsync('sqr', range(10))).toThrow(PoolStateError)
  })

  it('test_traceback', async () => {
    const error = (await rejection(shared.pool.apply('runtime_error'))) as Error
    expect(error).toMatchObject({
      name: 'RuntimeError',
      message: '123',
      args: [runtime.name === 'Python' ? 123 : '123'],
    })
    const cause = error.cause as RemoteTraceback
    expect(cause).toBeInstanceOf(RemoteTraceback)
    expect(shared.pool.workers).toContainEqual(expect.objectContaining({ name: cause.worker, pid: cause.pid }))
    const line = sourceLine(cause.stack ?? '')
    expect(line).toMatch(/^(raise RuntimeError\(123\) {2}#|throw error\('RuntimeError', '123'\) \/\/) some comment$/)
    // Python shows the line itself, as ever.
    if (runtime.name === 'Python') expect(cause.stack).toContain(line)
    // Whoever prints the error, as Node does with one that nobody catches, prints that too.
    expect(inspect(error)).toContain(cause.stack?.split('\n').find((text) => text.includes('functions.')))
    // An error of the iterable is nobody's but the caller's.
    const own = (await rejection(shared.pool.map('sqr', exceptionThrowingGenerator(1, -1), { chunkSize: 1 }))) as Error
    expect(own).toBeInstanceOf(SayWhenError)
    expect(own.cause).toBeUndefined()
  })

  it('test_wrapped_exception', async () => {
    const error = (await rejection(shared.pool.apply('raise_error', ['RuntimeError', 'foo']))) as Error
    expect(error).toMatchObject({ name: 'RuntimeError', message: 'foo' })
  })

  it('test_map_no_failfast', async () => {
    const pool = poolOf(runtime)
    const started = performance.now()
    const error = (await rejection(
      within(pool.map('raise_large_valuerror', [0, 500], { chunkSize: 1 }), 'map()'),
    )) as Error
    // Not before the second one has ended as well.
    expect(performance.now() - started).toBeGreaterThanOrEqual(500 - toleranceMs)
    expect(error).toMatchObject({ name: 'ValueError' })
    expect(error.message).toHaveLength(1024 ** 2)
    expect(pool.counts).toMatchObject({ failed: 2, running: 0, queued: 0 })
    await closeAndJoin(pool)
  })

  it('test_release_task_refs', async () => {
    const { pool } = shared
    const refs: WeakRef<object>[] = []
    const watched = <T extends object>(object: T): T => {
      refs.push(new WeakRef(object))
      return object
    }
    const items = (n: number) => range(n).map((i) => watched({ i }))
    // Functions of their own: what they held is free when they are over.
    const map = async () => {
      for (const result of await pool.map<object>('identity', items(10))) watched(result)
    }
    const apply = async () => {
      watched(await pool.apply<object>('identity', items(1)))
    }
    const imap = async () => {
      for await (const result of pool.imap<object>('identity', items(3))) watched(result)
    }
    const keepOnlyResult = async () => {
      const result = pool.applyAsync('do_nothing', items(1))
      await result.wait()
      return result
    }
    await map()
    await apply()
    await imap()
    const kept = await keepOnlyResult()
    expect(refs).toHaveLength(29)
    await until(() => {
      collectGarbage()
      return refs.every((ref) => ref.deref() === undefined)
    }, 'arguments and results are freed')
    expect(kept.successful()).toBe(true)
    // Nor is the form in which arguments travel kept for as long as the result is: 20 MiB here.
    collectGarbage()
    const before = process.memoryUsage().external
    const results = range(20).map((i) => pool.applyAsync('do_nothing', [{ i, text: 'c'.repeat(1024 ** 2) }]))
    await Promise.all(results.map((result) => result.wait()))
    await until(() => {
      collectGarbage()
      return process.memoryUsage().external - before < 5 * 1024 ** 2
    }, 'sent arguments are freed')
    expect(results.every((result) => result.successful())).toBe(true)
  })

  it('test_enter', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    {
      await using entered = pool
      expect(await entered.apply('sqr', [3])).toBe(9)
    }
    {
      // JavaScript has no hook at the beginning of a block: the pool can be entered again, but does nothing any more.
      await using again = pool
      expect(() => again.applyAsync('sqr', [1])).toThrow(PoolStateError)
    }
    await within(pool.join(), 'join()')
  })

  it('test_resource_warning', async () => {
    // Nobody holds it, and nobody closed it: it is not collected, so that it can still be found and ended.
    const name = `${runtime.name} that nobody holds`
    poolOf(runtime, { processes: 1, name })
    await until(() => {
      collectGarbage()
      return activeChildren().some(({ poolName, status }) => poolName === name && status === 'idle')
    }, 'its worker is listed')
  })
})

describe.each(runtimes)('$name: _TestPool, beside no other pool', (runtime) => {
  it('test_resource_warning: terminatePools() ends it', async () => {
    const pool = poolOf(runtime)
    await pool.apply('sqr', [1])
    expect(await within(terminatePools(), 'terminatePools()')).toEqual([])
    expect(activeChildren()).toEqual([])
    await nothingLeft(pool)
  })
})

/** The line of source that a traceback points at first. */
function sourceLine(stack: string): string {
  const [, file = '', line = ''] = /(\/\S*functions\.(?:js|py))(?::|", line )(\d+)/.exec(stack) ?? []
  return readFileSync(file, 'utf8').split('\n')[Number(line) - 1]?.trim() ?? ''
}

let gc: (() => void) | undefined
function collectGarbage(): void {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc')
    gc = runInNewContext('gc') as () => void
  }
  gc()
}
