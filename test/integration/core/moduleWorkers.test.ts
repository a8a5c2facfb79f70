import { describe, expect, it } from 'vitest'
import { PoolStateError, WorkerLostError } from '../../../src/core'
import { commandPool, isRunning, modulePool, next, readyPids, rejection, tasks, until } from './support'

describe('a worker that ends with a task in flight', () => {
  it('loses the task at once, with the exit code, when the task calls process.exit()', async () => {
    const pool = modulePool()
    const error = await rejection(pool.apply('exit', [3]))
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ exitCode: 3, signal: null, worker: 'PoolWorker-1', taskId: 't1' })
    expect((error as WorkerLostError).message).toMatch(
      /PoolWorker-1 \(pid \d+\) ended with exit 3 before exit\(3\) was done/,
    )
    expect(pool.counts).toMatchObject({ lost: 1, running: 0 })
  })

  it('loses the task with exit code 0 as well: an exit is no result', async () => {
    expect(await rejection(modulePool().apply('exit', [0]))).toMatchObject({ name: 'WorkerLostError', exitCode: 0 })
  })

  it.each(['SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGABRT'] as const)(
    'names %s, and that it was not ours',
    async (signal) => {
      const error = await rejection(modulePool().apply('killSelf', [signal]))
      expect(error).toMatchObject({ name: 'WorkerLostError', exitCode: null, signal })
      expect((error as Error).message).toContain('was not sent by us')
    },
  )

  it('says which uncaught error ended it', async () => {
    expect(await rejection(modulePool().apply('uncaught'))).toMatchObject({
      exitCode: 1,
      cause: { message: 'thrown from a timer' },
    })
  })

  it('says which unhandled rejection ended it', async () => {
    expect(await rejection(modulePool().apply('unhandled'))).toMatchObject({
      exitCode: 1,
      cause: { message: 'rejected and forgotten' },
    })
  })

  it('carries a verdict with the evidence, and the exit is in the list of exited workers', async () => {
    const pool = modulePool()
    await rejection(pool.apply('killSelf', ['SIGKILL']))
    await until(() => pool.exitedWorkers.length === 1, 'the exit is listed')
    expect(pool.exitedWorkers[0]).toMatchObject({
      name: 'PoolWorker-1',
      status: 'exited',
      exitCode: null,
      signal: 'SIGKILL',
      task: { label: 'killSelf(SIGKILL)', state: 'lost' },
    })
    expect(pool.failures[0]?.task.verdict).toMatchObject({
      code: 'lost-task',
      evidence: expect.arrayContaining([{ what: 'our kill ledger', value: 'no signal from us' }]) as unknown,
    })
  })

  it('tells an exit that we caused from one that we did not', async () => {
    const pool = modulePool()
    const result = pool.applyAsync('never')
    const [, worker] = await next(pool, 'taskStart')
    await pool.killWorker(worker.pid)
    expect(await rejection(result.get())).toMatchObject({
      name: 'WorkerLostError',
      signal: 'SIGKILL',
      message: expect.stringContaining('ended by us, killWorker()') as unknown,
    })
  })

  it('does not lose a result that is still in its pipe', async () => {
    const pool = modulePool()
    // The result is written, and in the same turn the process is killed: what is in the pipe was sent.
    await readyPids(pool)
    for (let i = 0; i < 10; i++) {
      const result = pool.applyAsync<number>('returnAndDie', [150_000])
      await result.wait()
      expect(result.successful()).toBe(true)
      await until(() => pool.exitedWorkerCount === i + 1, 'its exit')
      await readyPids(pool)
    }
  })

  it('is replaced, and the other tasks are done', async () => {
    const pool = modulePool({ processes: 2 })
    const results = [
      pool.applyAsync('exit', [1]),
      ...Array.from({ length: 20 }, (_, n) => pool.applyAsync('double', [n])),
    ]
    await Promise.all(results.map((result) => result.wait()))
    expect(pool.counts).toMatchObject({ lost: 1, done: 20 })
    expect((await readyPids(pool)).length).toBe(2)
    expect(pool.workers.map((worker) => worker.name)).not.toContain(pool.exitedWorkers[0]?.name)
  })
})

describe('a worker that is killed from outside', () => {
  it('is replaced when it was idle, and no task is lost', async () => {
    const pool = modulePool({ processes: 2 })
    const [pid = 0] = await readyPids(pool)
    process.kill(pid, 'SIGKILL')
    await until(() => !isRunning(pid) && pool.exitedWorkerCount === 1, 'its exit')
    await readyPids(pool)
    expect(await pool.apply('double', [4])).toBe(8)
    expect(pool.counts).toMatchObject({ lost: 0, done: 1 })
  })

  it('is replaced when it was still starting', async () => {
    const pool = modulePool()
    const [worker] = await next(pool, 'workerStart')
    process.kill(worker.pid, 'SIGKILL')
    expect(await pool.apply('double', [4])).toBe(8)
    expect(pool.exitedWorkers[0]).toMatchObject({ pid: worker.pid, signal: 'SIGKILL' })
    expect(pool.failure).toBeNull()
  })

  it('loses its task within 50 ms when it was busy', async () => {
    const pool = modulePool()
    const result = pool.applyAsync('never')
    const [, worker] = await next(pool, 'taskStart')
    const lost = next(pool, 'taskLost')
    process.kill(worker.pid, 'SIGKILL')
    const [task] = await lost
    expect(task).toMatchObject({ state: 'lost', label: 'never()' })
    expect(await rejection(result.get())).toMatchObject({ pid: worker.pid, signal: 'SIGKILL' })
  })

  it('survives a storm of SIGKILL: every task ends, none hangs, and the workers come back', async () => {
    const pool = modulePool({ processes: 2, retries: 50 })
    const results = Array.from({ length: 60 }, (_, n) => pool.applyAsync('sleep', [5, n]))
    let kills = 0
    pool.on('taskStart', (_, worker) => {
      if (kills < 25 && kills++ % 2 === 0) process.kill(worker.pid, 'SIGKILL')
    })
    const values = await Promise.all(results.map((result) => result.get()))
    expect(values).toEqual(Array.from({ length: 60 }, (_, n) => n))
    expect(pool.failure).toBeNull()
    expect(pool.counts).toMatchObject({ done: 60, lost: 0, running: 0, queued: 0 })
  })
})

describe('retries', () => {
  it('run a lost task again, as often as was allowed, and then reject', async () => {
    const pool = modulePool({ retries: 2 })
    const attempts: number[] = []
    pool.on('taskStart', (task) => attempts.push(task.attempt))
    expect(await rejection(pool.apply('exit', [1]))).toBeInstanceOf(WorkerLostError)
    expect(attempts).toEqual([1, 2, 3])
    expect(pool.exitedWorkers.map((worker) => worker.task?.state)).toEqual(['lost', 'lost', 'lost'])
    expect(pool.counts).toMatchObject({ lost: 1 })
  })

  it('never run a task again that failed by itself', async () => {
    const pool = modulePool({ retries: 5 })
    const attempts: number[] = []
    pool.on('taskStart', (task) => attempts.push(task.attempt))
    await rejection(pool.apply('throwError'))
    expect(attempts).toEqual([1])
  })

  it('are off by default: side effects are not repeated silently', async () => {
    const pool = modulePool()
    let starts = 0
    pool.on('taskStart', () => starts++)
    await rejection(pool.apply('exit', [1]))
    expect(starts).toBe(1)
  })
})

describe('maxTasksPerChild', () => {
  it('replaces a worker after that many tasks; it exits with 0 and all results are right', async () => {
    const pool = modulePool({ processes: 2, maxTasksPerChild: 3 })
    const values = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.apply('double', [n])))
    expect(values).toEqual(Array.from({ length: 20 }, (_, n) => n * 2))
    pool.close()
    await pool.join()
    const exits = pool.exitedWorkers
    expect(exits.every((worker) => worker.exitCode === 0 && worker.tasksDone <= 3)).toBe(true)
    expect(exits.reduce((sum, worker) => sum + worker.tasksDone, 0)).toBe(20)
    expect(new Set(exits.map((worker) => worker.name)).size).toBe(exits.length)
  })
})

describe('a worker whose channel is of no use', () => {
  it('is ended when something else writes to it, and says so', async () => {
    expect(await rejection(modulePool().apply('garbage'))).toMatchObject({
      message: expect.stringContaining('something else writes to file descriptor 3') as unknown,
    })
  })

  it('is ended when the task closes it without exiting', async () => {
    const pool = modulePool()
    expect(await rejection(pool.apply('closeChannel'))).toMatchObject({
      message: expect.stringContaining('closed its channel') as unknown,
    })
    expect(await pool.apply('double', [1])).toBe(2)
  })
})

describe('output of a module task', () => {
  it('belongs to the task that printed it, also when tasks follow each other closely', async () => {
    const pool = modulePool()
    const seen = new Map<string | null, string>()
    pool.on('output', ({ taskId, stream, chunk }) => {
      expect(stream).toBe('stdout')
      seen.set(taskId, (seen.get(taskId) ?? '') + chunk.toString())
    })
    const results = Array.from({ length: 50 }, (_, n) => pool.applyAsync('print', [`text of ${n}`]))
    await Promise.all(results.map((result) => result.get()))
    for (const [n, result] of results.entries()) expect(seen.get(result.taskIds[0]!)).toBe(`text of ${n}`)
  })

  it('has arrived before the task ends', async () => {
    const pool = modulePool()
    const order: string[] = []
    pool.on('output', ({ chunk }) => order.push(`output ${chunk.length}`))
    pool.on('taskEnd', () => order.push('end'))
    await pool.apply('print', ['x'.repeat(100_000)])
    expect(order.at(-1)).toBe('end')
    expect(order.slice(0, -1).reduce((sum, text) => sum + Number(text.split(' ')[1]), 0)).toBe(100_000)
  })

  it('is in a file whose path the end of the task tells', async () => {
    const pool = modulePool()
    const ended = next(pool, 'taskEnd')
    await pool.apply('complain', ['oh no'])
    const [, detail] = await ended
    expect(detail.stdoutPath).toBeNull()
    expect(detail.stderrPath).toMatch(/t1-1\.stderr$/)
  })
})

describe('applyAsync', () => {
  it('is refused by a pool that was closed, with its state', async () => {
    const pool = modulePool()
    pool.close()
    expect(() => pool.applyAsync('double', [1])).toThrow(PoolStateError)
    await pool.join()
    expect(() => pool.applyAsync('double', [1])).toThrow(/is in state ended/)
  })

  it('is refused by a command pool', () => {
    expect(() => commandPool(['true']).applyAsync('double')).toThrow(/use runItem/)
  })

  it('calls callback with the value and errorCallback with the error, once each', async () => {
    const pool = modulePool()
    const heard: unknown[] = []
    const note = (what: string) => (value: unknown) => heard.push([what, value])
    const good = pool.applyAsync('double', [1], { callback: note('ok'), errorCallback: note('error') })
    const bad = pool.applyAsync('throwValue', ['no'], { callback: note('ok'), errorCallback: note('error') })
    await Promise.all([good.wait(), bad.wait()])
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([
      ['ok', 2],
      ['error', 'no'],
    ])
  })

  it('works with the path of the module alone: workers need nothing else', () => {
    expect(modulePool({ module: tasks }).name).toBe('tasks.js')
  })
})
