import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { currentTask, PoolOptionError } from '../../../src/core'
import { commandPool, fixtures, modulePool, next, readyPids, rejection, repository, until } from './support'

const soft = { module: join(fixtures, 'soft.cjs'), env: { UNHANG_CORE: join(repository, 'dist/core.js') } }

describe('softTimeoutMs', () => {
  it('aborts the signal of the current task, which may still finish up', async () => {
    const pool = modulePool({ ...soft, softTimeoutMs: 100 })
    const told = next(pool, 'taskSoftTimeout')
    const result = pool.applyAsync('tidy')
    expect(await result.get()).toEqual([result.taskIds[0], 'SoftTimeoutError'])
    expect((await told)[0]).toMatchObject({ id: result.taskIds[0], state: 'running' })
    expect(pool.exitedWorkerCount).toBe(0)
  })

  it('is followed by the hard limit when the task does not listen', async () => {
    const pool = modulePool({ ...soft, softTimeoutMs: 100, timeoutMs: 300 })
    const error = await rejection(pool.apply('deaf'))
    expect(error).toMatchObject({ name: 'TaskTimeoutError', timeoutMs: 300 })
    expect(pool.counts).toMatchObject({ timedOut: 1, lost: 0 })
  })

  it('is of the one task alone: the next one has a signal of its own', async () => {
    const pool = modulePool({ ...soft, softTimeoutMs: 100 })
    const results = [pool.applyAsync('tidy'), pool.applyAsync('after')]
    expect(((await results[0]!.get()) as string[])[1]).toBe('SoftTimeoutError')
    expect(await results[1]!.get()).toBe(false)
  })

  it('is SIGTERM for a command, which has timed out then', async () => {
    const pool = commandPool(['sleep', '${item}'], { softTimeoutMs: 200 })
    expect(await rejection(pool.runItem('60', 0).get())).toMatchObject({ name: 'TaskTimeoutError', timeoutMs: 200 })
    expect(pool.counts).toMatchObject({ timedOut: 1, lost: 0 })
    expect(pool.exitedWorkers[0]).toMatchObject({ signal: 'SIGTERM' })
  })

  it('must be less than timeoutMs', () => {
    expect(() => modulePool({ softTimeoutMs: 500, timeoutMs: 500 })).toThrow(PoolOptionError)
  })

  it('has no current task outside of a worker', () => {
    expect(currentTask()).toBeUndefined()
  })
})

describe('idleTimeoutMs', () => {
  it(
    'lets workers without a task leave, down to minProcesses, and starts them again when there is ' + 'something to do',
    async () => {
      const pool = modulePool({ processes: 3, idleTimeoutMs: 200, minProcesses: 1 })
      expect((await pool.map('sleep', [50, 50, 50], { chunkSize: 1 })).length).toBe(3)
      await until(() => pool.workers.length === 1, 'two workers have left')
      expect(pool.exitedWorkers.map(({ exitCode, signal }) => [exitCode, signal])).toEqual([
        [0, null],
        [0, null],
      ])
      const results = [
        pool.applyAsync('sleep', [400]),
        pool.applyAsync('sleep', [400]),
        pool.applyAsync('sleep', [400]),
      ]
      await until(() => pool.workers.length === 3, 'they are back')
      await Promise.all(results.map((result) => result.get()))
      expect(pool.counts).toMatchObject({ done: 6, lost: 0 })
      expect(pool.failure).toBeNull()
    },
  )

  it('lets all of them leave without minProcesses; the pool goes on', async () => {
    const pool = modulePool({ processes: 2, idleTimeoutMs: 100 })
    expect(await pool.apply('double', [2])).toBe(4)
    await until(() => pool.workers.length === 0, 'all have left')
    expect(await pool.apply('double', [3])).toBe(6)
  })
})

describe('maxMemoryPerChildBytes', () => {
  it('replaces a worker that has more after a task; the task is done, and it does not count as a crash', async () => {
    const pool = modulePool({ maxMemoryPerChildBytes: 1 })
    const [first] = await readyPids(pool)
    expect(await pool.apply('double', [1])).toBe(2)
    await until(() => pool.workers.length === 1 && pool.workers[0]?.pid !== first, 'it is replaced')
    for (let n = 0; n < 8; n++) expect(await pool.apply('double', [n])).toBe(2 * n)
    expect(pool.failure).toBeNull()
    expect(pool.counts).toMatchObject({ done: 9, lost: 0 })
  })
})

describe('stats()', () => {
  it('tells runs and times by function, and how busy the workers were', async () => {
    const pool = modulePool({ processes: 1 })
    await pool.map('sleep', [100, 100, 100], { chunkSize: 1 })
    await pool.apply('double', [1])
    const { functions, utilisation, workersStarted, counts } = pool.stats()
    expect(functions.map(({ name, runs }) => [name, runs])).toEqual([
      ['sleep', 3],
      ['double', 1],
    ])
    expect(functions[0]!.runMs!.min).toBeGreaterThan(90)
    expect(functions[0]!.runMs!.p50).toBeGreaterThanOrEqual(functions[0]!.runMs!.min)
    expect(functions[0]!.waitMs!.max).toBeGreaterThan(150)
    expect(utilisation).toBeGreaterThan(0)
    expect(utilisation).toBeLessThanOrEqual(1)
    expect(workersStarted).toBe(1)
    expect(counts.done).toBe(4)
  })
})
