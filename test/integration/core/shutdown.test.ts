import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PoolStateError, activeChildren, terminatePools } from '../../../src/core'
import type { CommandResult } from '../../../src/core'
import { createProcessTable } from '../../../src/processes'
import type { ProcessTable } from '../../../src/processes'
import { KillLedger } from '../../../src/shutdown'
import {
  commandPool,
  endAfterTest,
  fixtures,
  isRunning,
  modulePool,
  next,
  readyPids,
  rejection,
  until,
} from './support'

const ask = { kill: false, askedBy: 'user', reason: 'a test' } as const

/** A Python-free program that ignores SIGTERM, as the one of seeds/003. */
const stubborn = ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 1; done']

describe('terminate()', () => {
  it('ends idle, busy, spinning and starting workers, returns no issue and leaves no process', async () => {
    const pool = modulePool({ processes: 3 })
    const pids = await readyPids(pool)
    const results = [
      pool.applyAsync('never'),
      pool.applyAsync('spin'),
      pool.applyAsync('never'),
      pool.applyAsync('double', [1]),
    ]
    await until(() => pool.counts.running === 3, 'three tasks run')
    expect(await pool.terminate()).toEqual([])
    expect(pids.filter(isRunning)).toEqual([])
    expect(pool.state).toBe('ended')
    expect(pool.workers).toEqual([])
    expect(await Promise.all(results.map((result) => rejection(result.get())))).toMatchObject([
      { name: 'WorkerLostError' },
      { name: 'WorkerLostError' },
      { name: 'WorkerLostError' },
      { name: 'TaskCancelledError' },
    ])
    expect(pool.counts).toMatchObject({ lost: 3, cancelled: 1, queued: 0, running: 0 })
  })

  it('ends workers that have not finished starting', async () => {
    const pool = modulePool({ processes: 4 })
    await next(pool, 'workerStart')
    const pids = pool.workers.map((worker) => worker.pid)
    expect(await pool.terminate()).toEqual([])
    expect(pids.filter(isRunning)).toEqual([])
    expect(pool.state).toBe('ended')
  })

  it('before anything has started ends the pool and starts nothing', async () => {
    const pool = modulePool({ processes: 2 })
    let started = 0
    pool.on('workerStart', () => started++)
    expect(await pool.terminate()).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(started).toBe(0)
    expect(pool.state).toBe('ended')
  })

  it('lets a task that is nearly done finish up', async () => {
    const pool = modulePool({ gracePeriodMs: 5000 })
    const result = pool.applyAsync('sleep', [200, 'done'])
    await next(pool, 'taskStart')
    expect(await pool.terminate()).toEqual([])
    expect(await result.get()).toBe('done')
    expect(pool.exitedWorkers[0]).toMatchObject({ exitCode: 0, signal: null })
  })

  it(
    'names a worker that ignores SIGTERM, stays in terminate, still sees it the second time, and ' + 'kill() ends it',
    async () => {
      const pool = commandPool(stubborn, { processes: 1 })
      const result = pool.runItem('x', 0)
      await next(pool, 'output')
      const pid = pool.workers[0]!.pid
      const issues = await pool.terminate()
      expect(issues.join('\n')).toContain(`pid=${pid}`)
      expect(pool.state).toBe('terminate')
      expect(pool.workers).toHaveLength(1)
      expect((await pool.terminate()).join('\n')).toContain(`pid=${pid}`)
      expect(pool.counts.running).toBe(1)
      expect(await pool.kill()).toEqual([])
      expect(pool.state).toBe('ended')
      expect(isRunning(pid)).toBe(false)
      expect(await rejection(result.get())).toMatchObject({ signal: 'SIGKILL' })
    },
  )

  it('escalates to SIGKILL with useSigkill', async () => {
    const pool = commandPool(stubborn, { processes: 1, useSigkill: true })
    void pool.runItem('x', 0)
    await next(pool, 'output')
    expect(await pool.terminate()).toEqual([])
    expect(pool.exitedWorkers[0]).toMatchObject({ signal: 'SIGKILL' })
  })

  it('notices when a survivor goes at last, and ends', async () => {
    const pool = commandPool(stubborn, { processes: 1 })
    void pool.runItem('x', 0)
    await next(pool, 'output')
    await pool.terminate()
    expect(pool.state).toBe('terminate')
    const pid = pool.workers[0]!.pid
    process.kill(-pid, 'SIGKILL')
    await pool.join()
    expect(pool.state).toBe('ended')
    expect(await pool.terminate()).toEqual([])
  })

  it('ends a stopped worker', async () => {
    const pool = modulePool()
    const [pid = 0] = await readyPids(pool)
    process.kill(pid, 'SIGSTOP')
    expect(await pool.terminate()).toEqual([])
    expect(isRunning(pid)).toBe(false)
  })

  it('ends what a task has started, also in a session of its own', async () => {
    const pool = modulePool()
    const child = await pool.apply<number>('child')
    const detached = await pool.apply<number>('detachedChild')
    endAfterTest(child)
    endAfterTest(detached)
    expect(await pool.terminate()).toEqual([])
    await until(() => !isRunning(child) && !isRunning(detached), 'the children are gone', 2000)
  })

  it('ends what a command left behind that still holds its output', async () => {
    const pool = commandPool('(sleep 300; echo late) & echo $!', { processes: 1 })
    const { stdout } = (await pool.runItem('x', 0).get()) as { stdout: string }
    const left = Number(stdout)
    endAfterTest(left)
    expect(isRunning(left)).toBe(true)
    await pool.terminate()
    await until(() => !isRunning(left), 'the sleep is gone', 2000)
  })

  it('called twice at the same time reports the same, and ends once', async () => {
    const pool = modulePool({ processes: 2 })
    await readyPids(pool)
    const states: string[] = []
    pool.on('stateChange', (state) => states.push(state))
    const [first, second] = await Promise.all([pool.terminate(), pool.terminate()])
    expect([first, second]).toEqual([[], []])
    expect(states).toEqual(['terminate', 'ended'])
  })

  it('starts no worker for one that goes down', async () => {
    const pool = modulePool({ processes: 4 })
    await readyPids(pool)
    let started = 0
    pool.on('workerStart', () => started++)
    await pool.terminate()
    expect(started).toBe(0)
    expect(pool.exitedWorkerCount).toBe(4)
  })

  it('tells the listeners its report and who asked', async () => {
    const pool = modulePool()
    await readyPids(pool)
    const heard = next(pool, 'shutdown')
    await pool.shutdown(ask)
    const [report, options] = await heard
    expect(report.workers).toMatchObject([{ name: 'PoolWorker-1', outcome: 'exited' }])
    expect(options).toMatchObject({ askedBy: 'user', reason: 'a test' })
  })
})

describe('a worker that cannot be identified', () => {
  it('is an issue: no signal is sent to what is not proven ours', async () => {
    const real = createProcessTable()
    const blind: ProcessTable = new Proxy(real, {
      get: (target, key) =>
        key === 'identify'
          ? () => Promise.resolve(undefined)
          : (Reflect.get(target, key, target) as (...args: unknown[]) => unknown).bind(target),
    })
    const pool = commandPool(['sleep', '300'], { processes: 1 }, { processes: blind, ledger: new KillLedger() })
    void pool.runItem('x', 0)
    const [, worker] = await next(pool, 'taskStart')
    expect(await pool.kill()).toEqual([
      `worker still alive: PoolWorker-1, pid=${worker.pid}, cannot be identified, so no signal was sent`,
    ])
    expect(isRunning(worker.pid)).toBe(true)
    process.kill(worker.pid, 'SIGKILL')
    await pool.join()
  })
})

describe('kill()', () => {
  it('ends 16 workers at once, whatever they do', async () => {
    const pool = commandPool(stubborn, { processes: 16 })
    for (let i = 0; i < 16; i++) void pool.runItem(i, i)
    await until(
      () =>
        pool.workers.filter((worker) => pool.outputTail(worker.task?.id ?? '')?.stdout.includes('ready')).length === 16,
      'all are stubborn',
    )
    const pids = pool.workers.map((worker) => worker.pid)
    expect(await pool.kill()).toEqual([])
    expect(pids.filter(isRunning)).toEqual([])
    expect(pool.counts.lost).toBe(16)
  })
})

describe('killWorker() and shutdownWorker()', () => {
  it('end one worker, which is replaced; the others go on', async () => {
    const pool = modulePool({ processes: 2 })
    const [first = 0, second = 0] = await readyPids(pool)
    expect(await pool.killWorker(first)).toEqual([])
    expect(isRunning(first)).toBe(false)
    const pids = await readyPids(pool)
    expect(pids).toContain(second)
    expect(pids).not.toContain(first)
  })

  it('lose a running task, or run it again with retries', async () => {
    const pool = modulePool({ retries: 1 })
    const result = pool.applyAsync('sleep', [400, 'second time'])
    const [, worker] = await next(pool, 'taskStart')
    const retried = next(pool, 'taskRetry')
    await pool.shutdownWorker(worker.pid, ask)
    await retried
    expect(await result.get()).toBe('second time')
  })

  it('do nothing for a pid that is none of theirs', async () => {
    const pool = modulePool()
    await readyPids(pool)
    expect(await pool.killWorker(process.pid)).toEqual([])
    expect(await pool.killWorker(999_999_999)).toEqual([])
    expect(pool.exitedWorkerCount).toBe(0)
  })

  it('leave a worker that survives SIGTERM in stopping, with its task, and say so', async () => {
    const pool = commandPool(stubborn, { processes: 1 })
    void pool.runItem('x', 0)
    await next(pool, 'output')
    const [worker] = pool.workers
    const report = await pool.shutdownWorker(worker!.pid, ask)
    expect(report.issues.find((issue) => issue.includes(`pid=${worker!.pid}`))).toContain('ignores SIGTERM')
    expect(pool.workers).toMatchObject([{ status: 'stopping', pid: worker!.pid, task: { state: 'running' } }])
  })
})

describe('cancelling', () => {
  it('a waiting task takes it out of the queue; it never runs', async () => {
    const pool = modulePool()
    const first = pool.applyAsync('sleep', [100, 'first'])
    const second = pool.applyAsync('sleep', [100, 'second'])
    const third = pool.applyAsync('sleep', [0, 'third'])
    await second.cancel()
    expect(await rejection(second.get())).toMatchObject({ name: 'TaskCancelledError', taskId: 't2' })
    expect(await first.get()).toBe('first')
    expect(await third.get()).toBe('third')
    expect(pool.exitedWorkerCount).toBe(0)
    expect(pool.counts).toMatchObject({ cancelled: 1, done: 2 })
  })

  it.each(['never', 'spin', 'ignoreTerm'])('a running task (%s) ends its worker, and only that one', async (fn) => {
    const pool = modulePool({ processes: 2, retries: 3 })
    await readyPids(pool)
    const other = pool.applyAsync('sleep', [1500, 'other'])
    const result = pool.applyAsync(fn)
    await until(() => pool.counts.running === 2, 'both run')
    await result.cancel()
    expect(await rejection(result.get())).toMatchObject({ name: 'TaskCancelledError' })
    expect(await other.get()).toBe('other')
    expect(pool.exitedWorkerCount).toBe(1)
    expect(pool.counts).toMatchObject({ cancelled: 1, lost: 0 })
  })

  it('a task that has ended does nothing', async () => {
    const pool = modulePool()
    const result = pool.applyAsync('double', [1])
    await result.get()
    await result.cancel()
    expect(await pool.cancelTask(result.taskIds[0]!)).toEqual([])
    expect(await pool.cancelTask('t999')).toEqual([])
    expect(pool.exitedWorkerCount).toBe(0)
  })

  it('killTask() ends a running task by SIGKILL', async () => {
    const pool = modulePool()
    const result = pool.applyAsync('never')
    const [task] = await next(pool, 'taskStart')
    expect(await pool.killTask(task.id)).toEqual([])
    expect(await rejection(result.get())).toMatchObject({ name: 'TaskCancelledError' })
    expect(pool.exitedWorkers[0]).toMatchObject({ signal: 'SIGKILL' })
  })
})

describe('timeoutMs', () => {
  it('counts from the start of the run, kills the worker and rejects; the next task runs', async () => {
    const pool = modulePool({ timeoutMs: 400 })
    await readyPids(pool)
    const results = [
      pool.applyAsync('sleep', [250, 1]),
      pool.applyAsync('sleep', [250, 2]),
      pool.applyAsync('spin'),
      pool.applyAsync('double', [4]),
    ]
    expect(await results[0]!.get()).toBe(1)
    expect(await results[1]!.get()).toBe(2)
    const error = await rejection(results[2]!.get())
    expect(error).toMatchObject({ name: 'TaskTimeoutError', timeoutMs: 400, worker: 'PoolWorker-1' })
    expect(await results[3]!.get()).toBe(8)
    expect(pool.counts).toMatchObject({ timedOut: 1, done: 3, lost: 0 })
    expect(pool.exitedWorkers[0]).toMatchObject({ signal: 'SIGKILL' })
  })

  it('ends a command with everything it started', async () => {
    const pool = commandPool('sleep 300 & echo $!; wait', { timeoutMs: 400, processes: 1 })
    const printed = next(pool, 'output')
    const result = pool.runItem('x', 0)
    const [{ chunk }] = await printed
    const child = Number(chunk.toString())
    endAfterTest(child)
    expect(await rejection(result.get())).toMatchObject({ name: 'TaskTimeoutError' })
    await until(() => !isRunning(child), 'the child is gone', 2000)
  })
})

describe('close() and join()', () => {
  it('let everything finish, then the workers leave with exit code 0', async () => {
    const pool = modulePool({ processes: 2 })
    const results = Array.from({ length: 10 }, (_, n) => pool.applyAsync('sleep', [20, n]))
    pool.close()
    await pool.join()
    expect(results.map((result) => result.successful())).toEqual(Array(10).fill(true))
    expect(pool.exitedWorkers).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }])
    expect(pool.endedAt).not.toBeNull()
  })

  it('end an empty pool', async () => {
    const pools = [modulePool(), commandPool(['true'])]
    for (const pool of pools) pool.close()
    await Promise.all(pools.map((pool) => pool.join()))
    expect(pools.map((pool) => pool.state)).toEqual(['ended', 'ended'])
  })

  it('join() is refused while the pool runs', async () => {
    expect(await rejection(modulePool().join())).toBeInstanceOf(PoolStateError)
  })

  it('end a worker that does not leave', async () => {
    const pool = modulePool({ module: join(fixtures, 'never-exits.cjs') })
    await pool.apply('fn')
    pool.close()
    await pool.join()
    expect(pool.exitedWorkers[0]).toMatchObject({ signal: 'SIGTERM' })
  }, 20_000)
})

describe('await using', () => {
  it('terminates the pool at the end of the block', async () => {
    let pool
    {
      await using used = modulePool()
      pool = used
      await used.apply('double', [1])
    }
    expect(pool.state).toBe('ended')
  })
})

describe('terminatePools() and activeChildren()', () => {
  it('see and end every pool of the process', async () => {
    const pools = [
      modulePool({ processes: 2, name: 'first' }),
      commandPool(['sleep', '300'], { name: 'second', processes: 1 }),
    ]
    void pools[1]!.runItem('x', 0)
    await readyPids(pools[0]!)
    await until(() => pools[1]!.counts.running === 1, 'the command runs')
    expect(
      activeChildren()
        .map((child) => [child.poolName, child.name])
        .sort(),
    ).toEqual([
      ['first', 'PoolWorker-1'],
      ['first', 'PoolWorker-2'],
      ['second', 'PoolWorker-1'],
    ])
    const pids = activeChildren().map((child) => child.pid)
    expect(await terminatePools()).toEqual([])
    expect(activeChildren()).toEqual([])
    expect(pids.filter(isRunning)).toEqual([])
    expect(pools.map((pool) => pool.state)).toEqual(['ended', 'ended'])
  })

  it('return the issues of survivors, again when called again', async () => {
    const pool = commandPool(stubborn, { processes: 1 })
    void pool.runItem('x', 0)
    await next(pool, 'output')
    expect((await terminatePools({ gracePeriodMs: 50 })).length).toBeGreaterThan(0)
    expect((await terminatePools({ gracePeriodMs: 50 })).length).toBeGreaterThan(0)
    expect(await terminatePools({ gracePeriodMs: 50, useSigkill: true })).toEqual([])
  })
})

describe('onFailure: stop', () => {
  it('ends the pool with the first task that fails', async () => {
    const pool = modulePool({ onFailure: 'stop' })
    const results = [
      pool.applyAsync('throwError'),
      pool.applyAsync('sleep', [10_000]),
      pool.applyAsync('sleep', [10_000]),
    ]
    const heard = next(pool, 'shutdown')
    await Promise.all(results.map((result) => result.wait()))
    const [, options] = await heard
    expect(options).toMatchObject({ askedBy: 'policy', reason: expect.stringContaining('onFailure: stop') as unknown })
    await pool.join()
    expect(pool.counts).toMatchObject({ failed: 1, done: 0 })
  })
})

describe('listeners', () => {
  it('that throw surface as uncaught exceptions and do not harm the pool', async () => {
    const uncaught: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      const pool = modulePool()
      pool.on('taskEnd', () => {
        throw new Error('from a listener')
      })
      expect(await pool.apply('double', [1])).toBe(2)
      expect(await pool.apply('double', [2])).toBe(4)
      await until(() => uncaught.length === 2, 'both errors surface')
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    }
  })
})

describe('what a command left running', () => {
  /** The first item leaves a sleep without any pipe and ends, the second one runs on. */
  const leaving = 'sleep 300 >/dev/null 2>&1 & echo $!; sleep ${item}'
  const firstLeft = async (pool: ReturnType<typeof commandPool>): Promise<number> => {
    const { stdout } = (await pool.runItem(0, 0).get()) as CommandResult
    const pid = Number(stdout)
    endAfterTest(pid)
    expect(isRunning(pid)).toBe(true)
    return pid
  }

  it.each(['terminate', 'kill'] as const)(
    'ends with %s() of the pool, although its worker is long gone',
    async (end) => {
      const pool = commandPool(leaving, { processes: 1 })
      const pid = await firstLeft(pool)
      pool
        .runItem(300, 1)
        .get()
        .catch(() => undefined)
      await until(() => pool.counts.running === 1, 'the second one runs')
      const shutdown = next(pool, 'shutdown')
      expect(await pool[end]()).toEqual([])
      const [report] = await shutdown
      expect(report.workers.find((row) => row.pid === pid)).toMatchObject({ descendantOf: 'PoolWorker-1' })
      await until(() => !isRunning(pid), 'what was left is gone')
    },
  )

  it('stays when the pool ends by itself, also when it is terminated afterwards', async () => {
    const pool = commandPool(leaving, { processes: 1 })
    const pid = await firstLeft(pool)
    pool.close()
    await pool.join()
    expect(await pool.terminate()).toEqual([])
    expect(isRunning(pid)).toBe(true)
  })
})

describe('a pool whose work is done', () => {
  it('ends although a worker catches SIGTERM and spins in its exit handler', async () => {
    const pool = modulePool()
    expect(await pool.apply('slowExit')).toBe(1)
    pool.close()
    await pool.join()
    expect(pool.exitedWorkers[0]).toMatchObject({ signal: 'SIGKILL' })
  }, 30_000)
})

describe('a system that refuses', () => {
  it('costs one warning and not the process', async () => {
    let refuses = true
    const refusing = new Proxy(createProcessTable(), {
      get: (target, key) => {
        if (key === 'descendants' && refuses) return () => Promise.reject(new Error('EMFILE: too many open files'))
        const value = Reflect.get(target, key, target) as unknown
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listen)
    try {
      const pool = commandPool(
        ['sleep', '300'],
        { processes: 1, stuckAfterMs: 100, timeoutMs: 300 },
        { processes: refusing, ledger: new KillLedger() },
      )
      pool
        .runItem('x', 0)
        .get()
        .catch(() => undefined)
      await until(() => warnings.length > 0, 'a warning')
      const pid = pool.workers[0]!.pid
      await new Promise((resolve) => setTimeout(resolve, 600))
      expect(warnings).toEqual([expect.stringContaining('EMFILE')])
      // Whether the kill at the timeout got through depends on how much of the table a shutdown can do without.
      if (isRunning(pid)) process.kill(pid, 'SIGKILL')
      await until(() => pool.counts.running === 0, 'the task is over')
      pool.close()
      await pool.join()
    } finally {
      refuses = false
      process.off('warning', listen)
    }
  })
})
