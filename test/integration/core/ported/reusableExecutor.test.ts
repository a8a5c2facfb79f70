/**
 * Ported from loky, tests/test_reusable_executor.py: what is in TestExecutorDeadLock beside its crash cases, and
 * TestTerminateExecutor.
 */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PoolStateError, SerializationError, TaskCancelledError, WorkerLostError } from '../../../../src/core'
import type { AsyncResult } from '../../../../src/core'
import { isRunning, readyPids, rejection, until } from '../support'
import { atTaskPickle } from './failures'
import { runProgram } from './program'
import { closeAndJoin, nothingLeft, poolOf, range, runtimes, within } from './runtimes'

/**
 * Threads of a process; those of a killed one hold its sockets until the last of them is gone, also when the first is a
 * zombie.
 */
function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length
  } catch {
    return 0
  }
}

describe.each(runtimes)('$name: TestExecutorDeadLock', (runtime) => {
  it('test_callback_crash_on_submit: error', async () => {
    const pool = poolOf(runtime)
    const uncaught = await uncaughtWhile(async () => {
      const done = pool.applyAsync('sqr', [6, 100], {
        callback() {
          throw new Error('from a callback')
        },
      })
      expect(await within(done.get(), 'get()')).toBe(36)
      expect(done.successful()).toBe(true)
      const failed = pool.applyAsync('raising', [], {
        errorCallback() {
          throw new Error('from an error callback')
        },
      })
      expect(await rejection(within(failed.get(), 'get()'))).toMatchObject({ name: 'KeyError' })
      expect(await within(pool.apply('sqr', [7]), 'the next task')).toBe(49)
    })
    expect(uncaught).toEqual([
      expect.objectContaining({ message: 'from a callback' }),
      expect.objectContaining({ message: 'from an error callback' }),
    ])
    expect(pool.exitedWorkerCount).toBe(0)
    await closeAndJoin(pool)
  })

  // These end the program that has the pool: what is left to show is that they end nothing less.
  it.each([
    ['crash', { exitCode: null, signal: 'SIGSEGV' }],
    ['abort', { exitCode: null, signal: 'SIGABRT' }],
    ['exit', { exitCode: 0, signal: null }],
    ['c_exit', { exitCode: 0, signal: null }],
    [
      'error',
      {
        exitCode: 1,
        signal: null,
        stderr: expect.stringContaining('Error [PicklingError]: Error in pickle') as unknown,
      },
    ],
  ])('test_callback_crash_on_submit: %s ends the program, and its workers with it', async (way, end) => {
    expect(await runProgram(runtime, `callback:${way}`)).toMatchObject(end)
  })

  it('test_deadlock_kill', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    const [pid = 0] = await readyPids(pool)
    pool.resize(2)
    process.kill(pid, 'SIGKILL')
    await until(() => pool.exitedWorkerCount === 1, 'the pool has seen its end')
    // It had nothing to do: nothing is lost by its end, and others take its place.
    expect(
      await within(Promise.all([pool.apply('sqr', [6, 100]), pool.apply('sqr', [7, 100])]), 'tasks after it'),
    ).toEqual([36, 49])
    await until(() => pool.workers.length === 2, 'it is replaced')
    expect(pool.exitedWorkers).toEqual([
      expect.objectContaining({ pid, signal: 'SIGKILL', exitCode: null, tasksDone: 0 }),
    ])
    expect(pool.counts).toMatchObject({ done: 2, lost: 0 })
    await closeAndJoin(pool)
  })

  it('test_deadlock_kill: a task that is handed to it before the pool has seen its end', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    const [pid = 0] = await readyPids(pool)
    process.kill(pid, 'SIGKILL')
    // In this very turn, so that the pool has not heard of it.
    while (isRunning(pid) || threadsOf(pid) > 1);
    // It never begins there, so it is not lost; nor is the one behind it.
    const results = [pool.applyAsync('sqr', [6]), pool.applyAsync('sqr', [7])]
    expect(pool.exitedWorkerCount).toBe(0)
    expect(await within(Promise.all(results.map((result) => result.get())), 'both')).toEqual([36, 49])
    expect(pool.exitedWorkers).toEqual([
      expect.objectContaining({ pid, signal: 'SIGKILL', exitCode: null, tasksDone: 0 }),
    ])
    await closeAndJoin(pool)
  })

  it.each([1, 2, 5, 13])('test_crash_races: %i workers', async (processes) => {
    const pool = poolOf(runtime, { processes })
    const pids = await readyPids(pool)
    expect(pids).toHaveLength(processes)
    const results = [...pids].reverse().map((pid) => pool.applyAsync<number>('kill_friend', [pid]))
    const outcomes = await within(Promise.all(results.map((result) => outcomeOf(result))), 'all of them')
    for (const outcome of outcomes) {
      if (outcome instanceof WorkerLostError) expect(outcome).toMatchObject({ signal: 'SIGKILL', exitCode: null })
      else expect(typeof outcome).toBe('number')
    }
    const lost = outcomes.filter((outcome) => outcome instanceof WorkerLostError).length
    // With one worker it is its own neighbour; the last of many is killed by one that has answered.
    if (processes === 1) expect(lost).toBe(1)
    expect(pool.counts).toMatchObject({ done: processes - lost, lost, queued: 0, running: 0 })
    await until(
      () => pool.workers.length === processes && pool.workers.every(({ pid }) => isRunning(pid)),
      'all are replaced',
    )
    expect(pool.exitedWorkers.filter(({ signal }) => signal !== 'SIGKILL')).toEqual([])
    expect(await within(pool.map('sqr', range(2 * processes), { chunkSize: 1 }), 'tasks after it')).toEqual(
      range(2 * processes).map((i) => i * i),
    )
    await closeAndJoin(pool)
  })

  it('test_queue_full_deadlock', async () => {
    const pool = poolOf(runtime, { processes: 1 })
    pool.applyAsync('identity', [42])
    const failing = atTaskPickle('error')
    const fail = range(100).map(() => failing.submit(pool, runtime))
    const fine = range(100).map((i) => pool.applyAsync('do_nothing', [{ i }]))
    for (const result of fail)
      expect(await rejection(within(result.get(), 'one that cannot be sent'))).toBeInstanceOf(SerializationError)
    expect(await within(Promise.all(fine.map((result) => result.get())), 'those that can')).toEqual(
      fine.map(() => true),
    )
    await closeAndJoin(pool)
  })
})

describe.each(runtimes)('$name: TestTerminateExecutor', (runtime) => {
  it('test_shutdown_kill', async () => {
    const pool = poolOf(runtime)
    const short = pool.mapAsync('sqr', range(100))
    const long = pool.mapAsync('sleep', Array<number>(100).fill(300_000), { chunkSize: 1 })
    expect(await within(short.get(), 'the short ones')).toEqual(range(100).map((i) => i * i))
    await until(() => pool.counts.running === 2, 'long ones run')
    expect(await within(pool.kill(), 'kill()', 5000)).toEqual([])
    await within(pool.join(), 'join()')
    expect(await rejection(long.get())).toBeInstanceOf(TaskCancelledError)
    expect(pool.counts).toMatchObject({ lost: 2, cancelled: 98, running: 0, queued: 0 })
    expect(() => pool.applyAsync('sqr', [1])).toThrow(PoolStateError)
    await nothingLeft(pool)
  })

  it('test_shutdown_deadlock', async () => {
    const pool = poolOf(runtime)
    const [first = 0] = await readyPids(pool)
    const result = pool.applyAsync('kill_friend', [first])
    await closeAndJoin(pool)
    expect(pool.exitedWorkers.find(({ pid }) => pid === first)).toMatchObject({ signal: 'SIGKILL' })
    const outcome = await outcomeOf(result)
    if (outcome instanceof Error)
      expect(outcome).toMatchObject({ name: 'WorkerLostError', pid: first, signal: 'SIGKILL' })
    else expect(outcome).not.toBe(first)
  })

  it.each([
    ['CrashAtGCInWorker', 'crash', { exitCode: null, signal: 'SIGSEGV' }],
    ['CExitAtGCInWorker', 'c_exit', { exitCode: 0, signal: null }],
  ])('test_call_item_gc_crash_or_exit: %s', async (_, way, exit) => {
    const pool = poolOf(runtime, { processes: 1 })
    // It is answered, and fails only when what it left behind is collected.
    expect(await within(pool.apply('bad_at_gc', [way]), 'the task itself')).toBe(42)
    const error = await rejection(within(pool.apply('gc_collect'), 'the task in which it is collected'))
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject(exit)
    expect(await within(pool.map('sqr', range(100)), 'tasks after it')).toEqual(range(100).map((i) => i * i))
    expect(pool.exitedWorkers).toEqual([expect.objectContaining({ ...exit, tasksDone: 1 })])
    await closeAndJoin(pool)
  })

  it('test_sigkill_shutdown_leaks_workers', async () => {
    const { pids, ...end } = await runProgram(runtime, 'kill')
    expect(end).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    expect(pids).toHaveLength(2)
  })
})

/** Its value, or what it rejects with. */
function outcomeOf(result: Pick<AsyncResult, 'get'>): Promise<unknown> {
  return result.get().catch((error: unknown) => error)
}

/** What surfaces as an uncaught exception meanwhile, in place of the test runner's own listeners. */
async function uncaughtWhile(run: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = []
  const before = process.listeners('uncaughtException')
  const listener = (error: unknown): void => {
    uncaught.push(error)
  }
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', listener)
  try {
    await run()
  } finally {
    process.off('uncaughtException', listener)
    for (const one of before) process.on('uncaughtException', one)
  }
  return uncaught
}
