import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ModulePoolOptions, Pool } from '../../../../src/core'
import { isRunning, modulePool, next, readyPids, rejection, repository, temporaryFolder, until } from '../support'

const module = join(repository, 'test/fixtures/properties/tasks.cjs')
const never = new Promise<never>(() => undefined)

/** A pool whose tasks tell when they begin, and which has learned that they are short. */
async function warmPool(
  options: Partial<ModulePoolOptions> = {},
): Promise<{ pool: Pool; begun: (id: number) => number }> {
  const journal = join(temporaryFolder(), 'journal')
  const pool = modulePool({ module, env: { UNHANG_JOURNAL: journal }, ...options })
  await readyPids(pool)
  await Promise.all(Array.from({ length: 50 }, (_, n) => pool.apply('work', [10_000 + n, 'quick'])))
  await until(() => pool.workers.every(({ status }) => status === 'idle'), 'all idle')
  return {
    pool,
    begun: (id) =>
      readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line === `${id}`).length,
  }
}

/** Keeps our own event loop from hearing anything. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe('sending ahead', () => {
  it('takes back what waits behind a task that has used up the memory, also when it is only one', async () => {
    const { pool } = await warmPool({ maxMemoryPerChildBytes: 100 * 2 ** 20 })
    while (pool.exitedWorkerCount < 3) {
      const results = [pool.applyAsync('work', [1, 'grow', 2 ** 20]), pool.applyAsync('work', [2, 'quick'])]
      await until(
        () => results.every((result) => result.ready()),
        `both are done, with ${pool.exitedWorkerCount} workers replaced`,
      )
    }
    expect(pool.counts).toMatchObject({ lost: 0, failed: 0 })
  })

  it('gives to an idle worker what waits behind a task that prints and then stays', async () => {
    const { pool } = await warmPool({ processes: 2 })
    for (const round of [1, 2, 3]) {
      const stays = pool.applyAsync('work', [round, 'printAndStay', round])
      const others = Array.from({ length: 20 }, (_, n) => pool.applyAsync('work', [100 + n, 'quick']))
      await until(() => others.every((result) => result.ready()), 'the others are done')
      await stays.cancel()
    }
  })

  it('cancels a task that was sent ahead without beginning it, and ends no worker for it', async () => {
    const { pool, begun } = await warmPool({ processes: 2 })
    for (let round = 0; round < 5; round++) {
      const results = Array.from({ length: 300 }, (_, n) => pool.applyAsync('work', [n, n < 2 ? 'spin' : 'quick', 400]))
      await Promise.resolve()
      const victims = results.slice(100, 110)
      await Promise.all(victims.map((result) => result.cancel()))
      expect(victims.every((result) => result.ready() && !result.successful())).toBe(true)
      await until(() => results.every((result) => result.ready()), 'all have ended')
    }
    expect([begun(99), begun(100), begun(109), begun(110)]).toEqual([5, 0, 0, 5])
    expect(pool.counts).toMatchObject({ lost: 0, cancelled: 50, done: 50 + 1450 })
    expect(pool.exitedWorkerCount).toBe(0)
  })

  it('loses nobody to the cancel of a task whose answer has not been read yet', async () => {
    const { pool, begun } = await warmPool()
    const first = pool.applyAsync('work', [1, 'quick'])
    const second = pool.applyAsync('work', [2, 'sleep', 300])
    await Promise.resolve()
    block(100)
    expect([begun(1), begun(2)]).toEqual([1, 1])
    await first.cancel()
    expect(await second.get()).toBe(5)
    expect(first.successful()).toBe(true)
  })

  it('blames no task for the time that it has waited in a worker that is stopped', async () => {
    const { pool, begun } = await warmPool({ processes: 1, timeoutMs: 300 })
    const [pid = 0] = await readyPids(pool)
    const first = pool.applyAsync('work', [1, 'spin', 2])
    const results = [2, 3, 4, 5].map((id) => pool.applyAsync('work', [id, 'quick']))
    await Promise.resolve()
    await until(() => begun(1) === 1, 'the first has begun')
    process.kill(pid, 'SIGSTOP')
    await until(
      () => pool.exitedWorkerCount === 1 || first.ready(),
      'the time of the first is up, or it was done before',
    )
    if (isRunning(pid)) process.kill(pid, 'SIGCONT')
    await Promise.all(results.map((result) => result.get()))
    expect([2, 3, 4, 5].map(begun)).toEqual([1, 1, 1, 1])
  })

  it('hands back at once what waits behind a task that survives the end of its worker', async () => {
    const { pool } = await warmPool({ processes: 2 })
    const survivor = pool.applyAsync('work', [1, 'ignoreTerm', 600_000])
    const [, worker] = await next(pool, 'taskStart')
    await until(() => pool.workers.some(({ status }) => status === 'idle'), 'the other one is idle')
    const others = Array.from({ length: 10 }, (_, n) => pool.applyAsync('work', [100 + n, 'quick']))
    await Promise.resolve()
    await pool.shutdownWorker(worker.pid, { kill: false, askedBy: 'api', reason: 'a test' })
    await until(() => others.every((result) => result.ready()), 'the others are done')
    expect(survivor.ready()).toBe(false)
  })
})

describe('a worker that dies', () => {
  it('loses no answer that it had written, although the pool was just writing to it', async () => {
    const { pool, begun } = await warmPool()
    const [pid = 0] = await readyPids(pool)
    const results = [1, 2, 3].map((id) => pool.applyAsync('work', [id, 'quick']))
    const last = pool.applyAsync('work', [4, 'never'])
    const behind = [5, 6].map((id) => pool.applyAsync('work', [id, 'quick']))
    await Promise.resolve()
    for (const deadline = Date.now() + 5000; begun(4) === 0 && Date.now() < deadline;) block(1)
    expect(begun(4)).toBe(1)
    process.kill(pid, 'SIGKILL')
    while (isRunning(pid)) block(1)
    // What waits behind is called back: a word to nobody.
    pool.hold()
    pool.resume()
    await until(() => [...results, last, ...behind].every((result) => result.ready()), 'all have ended')
    expect([...results, last, ...behind].filter((result) => !result.successful())).toEqual([last])
  })

  it('loses each task that it had begun when its channel can no longer be read', async () => {
    const { pool } = await warmPool()
    const results = ['quick', 'garbage', 'quick', 'quick', 'never', 'quick'].map((kind, n) =>
      pool.applyAsync('work', [n, kind]),
    )
    await Promise.resolve()
    block(100)
    await until(() => results.every((result) => result.ready()), 'all have ended')
    expect(results.map((result) => result.successful())).toEqual([true, false, false, false, false, true])
    expect(pool.counts).toMatchObject({ lost: 4, queued: 0, running: 0 })
  })
})

describe('a pool that is ended', () => {
  it.each([
    ['yields nothing any more', () => never],
    ['goes on', () => new Promise((resolve) => setTimeout(resolve, 20))],
  ])('rejects a map that still reads an async iterable that %s', async (_, pause) => {
    const { pool } = await warmPool()
    const items = async function* (): AsyncGenerator {
      for (;;) {
        yield [1, 'quick']
        await pause()
      }
    }
    const mapped = rejection(pool.map('item', items()))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await pool.terminate()
    expect(await mapped).toMatchObject({ name: 'PoolStateError' })
    expect(pool.counts.queued).toBe(0)
  })

  it('lets a task finish within the grace period although its soft time limit passes meanwhile', async () => {
    const { pool } = await warmPool({ softTimeoutMs: 300 })
    const result = pool.applyAsync('work', [1, 'sleep', 700])
    await next(pool, 'taskStart')
    await pool.terminate({ gracePeriodMs: 10_000 })
    expect(await result.get()).toBe(3)
  })
})

describe('leaving an imap', () => {
  it('waits neither for an async iterable that yields nothing any more nor for its tasks', async () => {
    const { pool } = await warmPool()
    const items = async function* (): AsyncGenerator {
      yield [1, 'quick']
      yield [2, 'never']
      await never
    }
    for await (const value of pool.imap('item', items())) {
      expect(value).toBe(3)
      break
    }
    expect(pool.counts).toMatchObject({ queued: 0, running: 0, cancelled: 1 })
  })
})

describe('room in the queue', () => {
  it('is told when a waiting task is cancelled', async () => {
    const { pool } = await warmPool({ maxQueued: 60 })
    const runs = pool.applyAsync('other', [1, 'never'])
    await next(pool, 'taskStart')
    const waiting = Array.from({ length: 60 }, (_, n) => pool.applyAsync('work', [n, 'quick']))
    const room = pool.room()
    await waiting[30]?.cancel()
    await room
    await runs.cancel()
  })
})

describe('cancel of a task that would run again', () => {
  it('holds although its worker has just died', async () => {
    const { pool, begun } = await warmPool({ retries: 3 })
    const result = pool.applyAsync('work', [1, 'never'])
    const [, worker] = await next(pool, 'taskStart')
    await until(() => begun(1) === 1, 'it has begun')
    process.kill(worker.pid, 'SIGKILL')
    await until(() => !isRunning(worker.pid), 'the worker is dead')
    await result.cancel()
    expect(result.ready()).toBe(true)
    expect(pool.counts).toMatchObject({ cancelled: 1, lost: 0, queued: 0, running: 0 })
    expect(begun(1)).toBe(1)
  })

  it('holds although its worker had died before it was sent there, which nobody knew', async () => {
    const { pool, begun } = await warmPool()
    const [pid = 0] = await readyPids(pool)
    process.kill(pid, 'SIGKILL')
    while (isRunning(pid)) block(1)
    // Its other threads have the channel open for a moment longer.
    block(100)
    const result = pool.applyAsync('other', [1, 'quick'])
    await Promise.resolve()
    expect(pool.counts.running).toBe(1)
    await result.cancel()
    expect(result.ready()).toBe(true)
    await pool.apply('other', [2, 'quick'])
    expect(pool.counts).toMatchObject({ cancelled: 1, lost: 0, queued: 0, running: 0 })
    expect([begun(1), begun(2)]).toEqual([0, 1])
  })
})
