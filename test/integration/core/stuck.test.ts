import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProcessTable } from '../../../src/processes'
import type { ProcessTable } from '../../../src/processes'
import { KillLedger } from '../../../src/shutdown'
import { commandPool, modulePool, next, readyPids, rejection, temporaryFolder, until } from './support'

/** Long enough that a busy machine does not make a working task look idle, short enough to wait for. */
const stuckAfterMs = 1200

/** The process table, counting what it is asked. */
function countingTable(): { table: ProcessTable; scans: () => number } {
  const real = createProcessTable()
  let scans = 0
  const table = new Proxy(real, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (key === 'descendants' || key === 'list' || key === 'usage') scans++
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
  return { table, scans: () => scans }
}

describe('a task that makes no progress', () => {
  it.each([
    ['a promise that never resolves', 'never', []],
    ['a main thread that is blocked', 'block', [60_000]],
    ['a child that sleeps', 'childThenNever', []],
  ])('is flagged at about stuckAfterMs: %s', async (_, fn, args) => {
    const pool = modulePool({ stuckAfterMs })
    await readyPids(pool)
    const start = next(pool, 'taskStart')
    pool.applyAsync(fn, args)
    const [started] = await start
    const [task, worker] = await next(pool, 'taskStuck')
    const age = Date.now() - started.startedAt!
    expect(age).toBeGreaterThanOrEqual(stuckAfterMs - 5)
    expect(age).toBeLessThan(stuckAfterMs * 1.9)
    expect(task).toMatchObject({ stuck: true, state: 'running', verdict: { code: 'no-progress' } })
    expect(task.verdict!.evidence.length).toBeGreaterThanOrEqual(3)
    expect(worker.status).toBe('busy')
    expect(pool.counts).toMatchObject({ running: 1, stuck: 1 })
  })

  it('is flagged when it is a command', async () => {
    const pool = commandPool(['sleep', '300'], { stuckAfterMs })
    void pool.runItem('x', 0)
    const [task] = await next(pool, 'taskStuck')
    expect(task).toMatchObject({ label: 'sleep 300', verdict: { code: 'no-progress' } })
  })

  it('is no longer flagged, nor counted, once its worker is killed', async () => {
    const pool = modulePool({ stuckAfterMs })
    const result = pool.applyAsync('never')
    const [, worker] = await next(pool, 'taskStuck')
    await pool.killWorker(worker.pid)
    await result.wait()
    expect(pool.counts).toMatchObject({ stuck: 0, running: 0, lost: 1 })
  })

  it('is flagged only once while it stays so', async () => {
    const pool = modulePool({ stuckAfterMs: 1000 })
    await pool.apply('sleep', [300])
    let flags = 0
    pool.on('taskStuck', () => flags++)
    pool.on('taskUnstuck', () => flags++)
    pool.applyAsync('never')
    await next(pool, 'taskStuck')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(flags).toBe(1)
  })
})

describe('a task that only takes long', () => {
  it.each([
    ['uses the CPU', 'spin', []],
    ['has a child that uses the CPU', 'spinInChild', [60_000]],
    ['prints now and then', 'tick', [100]],
  ])('is slow, not stuck, when it %s', async (_, fn, args) => {
    const pool = modulePool({ stuckAfterMs })
    const flagged: string[] = []
    pool.on('taskStuck', (task) => flagged.push(task.label))
    pool.applyAsync(fn, args)
    const [worker] = await next(pool, 'workerChange', (worker) => worker.task?.verdict?.code === 'slow')
    expect(worker.task).toMatchObject({ stuck: false, state: 'running' })
    await new Promise((resolve) => setTimeout(resolve, stuckAfterMs))
    expect(flagged).toEqual([])
    expect(pool.counts).toMatchObject({ running: 1, stuck: 0 })
  })

  it('is slow, not stuck, when it is a script of many short commands', async () => {
    const pool = commandPool('while :; do /bin/true; done', { stuckAfterMs, processes: 1 })
    const flagged: unknown[] = []
    pool.on('taskStuck', (task) => flagged.push(task.verdict))
    void pool.runItem('x', 0)
    await next(pool, 'workerChange', (worker) => worker.task?.verdict?.code === 'slow')
    await new Promise((resolve) => setTimeout(resolve, stuckAfterMs))
    expect(flagged).toEqual([])
  })

  it('loses its flag when it moves again', async () => {
    const folder = temporaryFolder()
    const pool = commandPool(
      `while [ ! -e ${join(folder, 'go')} ]; do read -r _ < ${join(folder, 'fifo')}; done; while :; do :; done`,
      { stuckAfterMs },
    )
    await commandPool(['mkfifo', join(folder, 'fifo')])
      .runItem('x', 0)
      .get()
    void pool.runItem('x', 0)
    await next(pool, 'taskStuck')
    writeFileSync(join(folder, 'go'), '')
    const unstuck = next(pool, 'taskUnstuck')
    await commandPool(['sh', '-c', `echo > ${join(folder, 'fifo')}`])
      .runItem('x', 0)
      .get()
    const [task] = await unstuck
    expect(task).toMatchObject({ stuck: false, state: 'running' })
    expect(pool.counts.stuck).toBe(0)
  })
})

describe('a worker in a state that says it all', () => {
  it('stopped: the verdict says so, with the command that continues it', async () => {
    const pool = modulePool({ stuckAfterMs })
    pool.applyAsync('spin')
    const [, worker] = await next(pool, 'taskStart')
    process.kill(worker.pid, 'SIGSTOP')
    const [task] = await next(pool, 'taskStuck')
    expect(task.verdict).toMatchObject({
      code: 'stopped',
      advice: expect.stringContaining(`kill -CONT ${worker.pid}`) as unknown,
    })
    process.kill(worker.pid, 'SIGCONT')
    await next(pool, 'taskUnstuck')
  })

  it('uninterruptible: only after it was seen several times (simulated at the process table)', async () => {
    const real = createProcessTable()
    const table: ProcessTable = Object.assign(Object.create(real) as ProcessTable, {
      inspect: async (identity: Parameters<ProcessTable['inspect']>[0]) => {
        const row = await real.inspect(identity)
        return row && { ...row, state: 'uninterruptible' as const }
      },
      identify: real.identify.bind(real),
      descendants: real.descendants.bind(real),
      usage: real.usage.bind(real),
      exists: real.exists.bind(real),
      signalMasks: real.signalMasks.bind(real),
      list: real.list.bind(real),
      signal: real.signal.bind(real),
    })
    const pool = modulePool({ stuckAfterMs: 600 }, { processes: table, ledger: new KillLedger() })
    pool.applyAsync('never')
    const [task] = await next(pool, 'taskStuck')
    expect(task.verdict).toMatchObject({ code: 'uninterruptible' })
  })

  it('ignores SIGTERM: a worker that survived terminate says so, and is not stuck for that alone', async () => {
    const pool = commandPool('trap "" TERM; echo ready; while :; do :; done', { stuckAfterMs: 500, processes: 1 })
    void pool.runItem('x', 0)
    await next(pool, 'output')
    await pool.shutdownWorker(pool.workers[0]!.pid, { kill: false, askedBy: 'user', reason: 'a test' })
    const [worker] = await next(pool, 'workerChange', (worker) => worker.task?.verdict?.code === 'sigterm-ignored')
    expect(worker.task?.stuck).toBe(false)
  })
})

describe('onStuck', () => {
  it.each([
    ['terminate', 'SIGTERM'],
    ['kill', 'SIGKILL'],
  ] as const)('%s ends the worker by %s; the task is lost and the next one runs', async (onStuck, signal) => {
    const pool = commandPool('if [ ${index} = 0 ]; then exec sleep 300; else echo fine; fi', {
      stuckAfterMs: 500,
      onStuck,
      processes: 1,
    })
    const stuck = pool.runItem('x', 0)
    const fine = pool.runItem('x', 1)
    expect(await rejection(stuck.get())).toMatchObject({
      name: 'WorkerLostError',
      signal,
      message: expect.stringContaining(`onStuck: ${onStuck}`) as unknown,
    })
    expect(await fine.get()).toMatchObject({ stdout: 'fine\n' })
  })

  it('retry runs it again, and it may succeed', async () => {
    const marker = join(temporaryFolder(), 'marker')
    const pool = commandPool(`if [ -e ${marker} ]; then echo second; else touch ${marker}; exec sleep 300; fi`, {
      stuckAfterMs: 500,
      onStuck: 'retry',
      processes: 1,
    })
    expect(await pool.runItem('x', 0).get()).toMatchObject({ stdout: 'second\n' })
  })

  it('retry gives up when it gets stuck again', async () => {
    const pool = modulePool({ stuckAfterMs: 500, onStuck: 'retry' })
    let starts = 0
    pool.on('taskStart', () => starts++)
    expect(await rejection(pool.apply('never'))).toMatchObject({ name: 'WorkerLostError' })
    expect(starts).toBe(2)
    expect(pool.counts).toMatchObject({ lost: 1 })
  })

  it('flag, the default, leaves it alone', async () => {
    const pool = modulePool({ stuckAfterMs: 300 })
    pool.applyAsync('never')
    await next(pool, 'taskStuck')
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(pool.counts.running).toBe(1)
  })
})

describe('what looking costs', () => {
  it('nothing is read for tasks that are younger than half of stuckAfterMs', async () => {
    const { table, scans } = countingTable()
    const pool = modulePool({ stuckAfterMs: 60_000, processes: 2 }, { processes: table, ledger: new KillLedger() })
    for (let i = 0; i < 500; i++) pool.applyAsync('double', [i])
    await until(() => pool.counts.done === 500, 'all are done')
    expect(scans()).toBe(0)
  })

  it('one pass over the process table serves all tasks of a pool', async () => {
    const { table, scans } = countingTable()
    const pool = commandPool(
      ['sleep', '300'],
      { processes: 40, stuckAfterMs: 1500 },
      { processes: table, ledger: new KillLedger() },
    )
    void pool.runItems(Array.from({ length: 40 }, (_, n) => n))
    await until(() => pool.counts.stuck === 40, 'all are flagged')
    // A look of its own for each task would be at least three times two reads for each.
    expect(scans()).toBeLessThan(40 * 3)
  })
})
