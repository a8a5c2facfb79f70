import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RemoteTraceback, PoolOptionError, SerializationError } from '../../../src/core'
import { fixtures, modulePool, readyPids, rejection, until } from './support'

describe('a task of a module pool', () => {
  it('resolves with the value its export returns', async () => {
    expect(await modulePool().apply('double', [21])).toBe(42)
  })

  it('gets and returns everything that a structured clone carries', async () => {
    const value = {
      map: new Map([[1, new Set(['a'])]]),
      date: new Date(0),
      bytes: new Uint8Array([1, 2]),
      big: 2n ** 70n,
      nothing: undefined,
      re: /x/g,
    }
    expect(await modulePool().apply('echo', [value, 'two', null])).toEqual([value, 'two', null])
  })

  it('gets its arguments as they were when it was handed in', async () => {
    const pool = modulePool()
    const argument = { n: 1 }
    const result = pool.applyAsync('echo', [argument])
    argument.n = 2
    expect(await result.get()).toEqual([{ n: 1 }])
  })

  it('returns results far larger than a pipe', async () => {
    const value = await modulePool().apply<Uint8Array>('returnBig', [8 * 1024 * 1024])
    expect(value.byteLength).toBe(8 * 1024 * 1024)
    expect(value.at(-1)).toBe(7)
  })

  it('runs in another process, one at a time each', async () => {
    const pool = modulePool({ processes: 2 })
    await readyPids(pool)
    const [a, b] = await Promise.all([pool.apply('spinFor', [300]).then(() => pool.workers), pool.apply('pid')])
    expect(a.map((worker) => worker.pid)).toContain(b)
    expect(b).not.toBe(process.pid)
  })

  it('knows its worker by UNHANG_WORKER', async () => {
    const pool = modulePool()
    expect(await pool.apply('marker')).toBe(`${pool.id}/PoolWorker-1`)
  })

  it('sees the environment that was asked for, and nothing of what was removed', async () => {
    process.env.UNHANG_TEST_REMOVED = 'there'
    const pool = modulePool({
      module: join(fixtures, 'environment.mjs'),
      env: { UNHANG_TEST_ADDED: 'yes', UNHANG_TEST_REMOVED: null },
    })
    delete process.env.UNHANG_TEST_REMOVED
    expect(await pool.apply()).toEqual({ added: 'yes', removed: null })
  })

  it.each([
    ['the default export of an ES module', 'double.mjs', 'default', 42],
    ['a named export of an ES module', 'double.mjs', 'triple', 63],
    ['module.exports of a CommonJS module', 'only-function.cjs', 'default', 42],
    ['the only export of a module, when no name is given', 'only-named.mjs', 'default', 42],
    ['a module that awaits at its top level', 'top-level-await.mjs', 'default', 42],
  ])('runs %s', async (_, module, name, expected) => {
    expect(await modulePool({ module: join(fixtures, module) }).apply(name, [21])).toBe(expected)
  })

  it('runs an export of another module by path', async () => {
    const pool = modulePool({ cwd: fixtures })
    expect(await pool.apply({ module: './double.mjs', name: 'triple' }, [2])).toBe(6)
  })

  it('calls the export named after # with an item', async () => {
    const pool = modulePool({ module: './double.mjs#triple', cwd: fixtures })
    expect(await pool.runItem(3, 0).get()).toBe(9)
  })
})

describe('a task that fails', () => {
  it(
    'rejects with its own error: class, message, code, properties; where in the worker it was is the cause, and ' +
      'its own cause the cause of that',
    async () => {
      const error = await rejection(modulePool().apply('throwError'))
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({ name: 'RangeError', message: 'out of range', code: 'E_RANGE', details: { at: 3 } })
      const { cause } = error as Error
      expect(cause).toBeInstanceOf(RemoteTraceback)
      expect((cause as RemoteTraceback).stack).toMatch(/RangeError: out of range\n[^]*tasks\.js:\d+/)
      expect((cause as RemoteTraceback).cause).toMatchObject({ message: 'the cause' })
    },
  )

  it('rejects with an AggregateError with its errors', async () => {
    expect(await rejection(modulePool().apply('throwAggregate'))).toMatchObject({
      errors: [{ message: 'a' }, { message: 'b' }],
    })
  })

  it.each([
    ['a number', 42],
    ['a string', 'no'],
    ['null', null],
    ['an object', { code: 7 }],
  ])('rejects with %s when that was thrown', async (_, value) => {
    expect(await rejection(modulePool().apply('throwValue', [value]))).toEqual(value)
  })

  it('rejects with undefined when that was thrown', async () => {
    expect(await rejection(modulePool().apply('throwUndefined'))).toBeUndefined()
  })

  it('says so when what it threw cannot be cloned', async () => {
    expect(await rejection(modulePool().apply('throwFunction'))).toMatchObject({
      message: expect.stringContaining('cannot be cloned') as unknown,
    })
  })

  it('rejects alone, naming itself, when its result cannot be cloned, and its worker goes on', async () => {
    const pool = modulePool()
    const error = await rejection(pool.apply('returnFunction'))
    expect(error).toBeInstanceOf(SerializationError)
    expect(error).toMatchObject({ what: 'result', message: expect.stringContaining('returnFunction()') as unknown })
    expect(await pool.apply('double', [2])).toBe(4)
    expect(pool.exitedWorkerCount).toBe(0)
    expect(pool.failures[0]?.task.verdict?.code).toBe('unserializable-result')
  })

  it('rejects at once when its arguments cannot be cloned, without a worker', async () => {
    const pool = modulePool()
    const result = pool.applyAsync('echo', [() => 1])
    expect(result.ready()).toBe(true)
    expect(await rejection(result.get())).toMatchObject({
      name: 'SerializationError',
      what: 'argument',
      taskId: result.taskIds[0],
    })
    expect(pool.counts).toMatchObject({ failed: 1, queued: 0 })
  })

  it('names the exports there are when it asks for one that is missing', async () => {
    expect(await rejection(modulePool({ module: join(fixtures, 'double.mjs') }).apply('nope'))).toMatchObject({
      name: 'MissingExportError',
      message: expect.stringMatching(
        /double\.mjs exports no function 'nope'; it exports 'default', 'triple'/,
      ) as unknown,
    })
  })

  it('causes no unhandled rejection when nobody asks for its result', async () => {
    const unhandled: unknown[] = []
    const listener = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', listener)
    const pool = modulePool()
    pool.applyAsync('throwError')
    await until(() => pool.counts.failed === 1, 'the task has failed')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })

  it('stays among the failures with what is known of it, and can run again', async () => {
    const pool = modulePool()
    await rejection(pool.apply('throwError'))
    expect(pool.failureCount).toBe(1)
    expect(pool.failures[0]).toMatchObject({
      task: { state: 'failed', label: 'throwError()', attempt: 1 },
      detail: { message: 'RangeError: out of range', worker: 'PoolWorker-1', exitCode: null },
    })
    expect(await rejection(pool.retryTask(pool.failures[0]!.task.id).get())).toBeInstanceOf(RangeError)
  })
})

describe('a module that cannot be used', () => {
  it('is refused at once when the entry point of the workers is missing', () => {
    expect(() => modulePool({ module: join(fixtures, 'double.mjs'), workerPath: '/no/such/worker.js' })).toThrow(
      /^workerPath: no such file/,
    )
  })

  it('is refused at once when the file does not exist', () => {
    expect(() => modulePool({ module: './nope.js' })).toThrow(PoolOptionError)
    expect(() => modulePool({ module: './nope.js' })).toThrow(/^module: no such module: .*nope\.js/)
  })
})
