/**
 * Ported from CPython 3.14, Lib/test/test_concurrent_futures/test_process_pool.py: terminate_workers and kill_workers.
 */
import { describe, expect, it } from 'vitest'
import { killLedger, PoolStateError, WorkerLostError } from '../../../../src/core'
import type { Pool } from '../../../../src/core'
import { readyPids, rejection, until } from '../support'
import { nothingLeft, poolOf, runtimes, within } from './runtimes'

const parameters = [
  { name: 'terminate_workers', signal: 'SIGTERM', force: (pool: Pool) => pool.terminate() },
  { name: 'kill_workers', signal: 'SIGKILL', force: (pool: Pool) => pool.kill() },
] as const

/** The signals that were sent to it, and nothing else was. */
function signalsTo(pid: number): string[] {
  return killLedger
    .entries()
    .filter(({ identity }) => identity.pid === pid)
    .map(({ signal }) => signal)
}

describe.each(runtimes)('$name: ProcessPoolExecutorTest', (runtime) => {
  it.each(parameters)('test_$name', async ({ force, signal }) => {
    const pool = poolOf(runtime, { processes: 1 })
    const [pid = 0] = await readyPids(pool)
    pool.applyAsync('sleep', [600_000])
    await until(() => pool.counts.running === 1, 'it runs')
    expect(await within(force(pool), 'the shutdown')).toEqual([])
    expect(signalsTo(pid)).toEqual([signal])
  })

  it.each(parameters)('test_force_shutdown_workers: $name', async ({ force, signal }) => {
    const pool = poolOf(runtime, { processes: 1 })
    let printed = ''
    pool.on('output', ({ chunk }) => {
      printed += chunk.toString()
    })
    const result = pool.applyAsync('put_wait_put', [600_000])
    await until(() => printed.includes('started'), 'it has started')
    const [{ pid, name } = { pid: 0, name: '' }] = pool.workers

    expect(await within(force(pool), 'the shutdown')).toEqual([])
    await within(pool.join(), 'join()')
    expect(pool.exitedWorkers).toEqual([expect.objectContaining({ pid, name, exitCode: null, signal })])
    const error = await rejection(result.get())
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ pid, worker: name, exitCode: null, signal })
    expect(printed.trim()).toBe('started')
    await nothingLeft(pool)
  })

  it.each(parameters)('test_force_shutdown_workers_dead_workers: $name', async ({ force }) => {
    const pool = poolOf(runtime, { processes: 1 })
    const error = await rejection(within(pool.apply('c_exit', [1]), 'the task'))
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ exitCode: 1, signal: null })
    expect(await within(force(pool), 'the shutdown')).toEqual([])
    await within(pool.join(), 'join()')
    await nothingLeft(pool)
  })

  it.each(parameters)(
    'test_force_shutdown_workers_dead_workers: $name, before the pool has seen it',
    async ({ force }) => {
      const pool = poolOf(runtime)
      const [first = 0] = await readyPids(pool)
      process.kill(first, 'SIGKILL')
      expect(await within(force(pool), 'the shutdown')).toEqual([])
      await within(pool.join(), 'join()')
      expect(pool.exitedWorkers.find(({ pid }) => pid === first)).toMatchObject({ signal: 'SIGKILL' })
      await nothingLeft(pool)
    },
  )

  it.each(parameters)('test_force_shutdown_workers_not_started_yet: $name', async ({ force }) => {
    const pool = poolOf(runtime, { processes: 1 })
    const signals = killLedger.entries().length
    expect(await within(force(pool), 'the shutdown')).toEqual([])
    await within(pool.join(), 'join()')
    expect(pool.state).toBe('ended')
    expect(pool.stats().workersStarted).toBe(0)
    expect(killLedger.entries()).toHaveLength(signals)
  })

  it.each(parameters)('test_force_shutdown_workers_stops_pool: $name', async ({ force }) => {
    const pool = poolOf(runtime, { processes: 1 })
    expect(await pool.apply('identity', [0])).toBe(0)
    const shutdown = force(pool)
    // At once, and not only when its workers are gone.
    expect(() => pool.applyAsync('sleep', [0])).toThrow(PoolStateError)
    expect(await within(shutdown, 'the shutdown')).toEqual([])
    expect(() => pool.applyAsync('sleep', [0])).toThrow(PoolStateError)
    await nothingLeft(pool)
  })
})
