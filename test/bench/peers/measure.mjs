// One system, one figure, in a process of its own: `node measure.mjs SYSTEM FIGURE` prints a number. SYSTEM is a key of
// `systems`.
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const here = (file) => fileURLToPath(new URL(file, import.meta.url))
const workers = 2
const noops = 100_000
const buffers = 400
const bufferBytes = 2 ** 20

/** Each makes a pool of two processes: `run(value)` is a no-op with that value, `end()` ends the pool. */
const systems = {
  async unhang() {
    const { Pool } = require('../../../dist/core.js')
    return () => {
      const pool = new Pool({ module: here('tasks.cjs'), processes: workers })
      return { run: (value) => pool.applyAsync('noop', [value]).get(), end: () => pool.kill() }
    }
  },
  tinypool: () => tinypool(1),
  'tinypool, 4 at a time': () => tinypool(4),
  async workerpool() {
    const workerpool = require('workerpool')
    return () => {
      const pool = workerpool.pool(here('tasks-workerpool.cjs'), {
        workerType: 'process',
        minWorkers: workers,
        maxWorkers: workers,
        forkOpts: { serialization: 'advanced' },
      })
      return { run: (value) => pool.exec('noop', [value]), end: () => pool.terminate(true) }
    }
  },
  async 'jest-worker'() {
    const { Worker } = require('jest-worker')
    return () => {
      const pool = new Worker(here('tasks.cjs'), { numWorkers: workers, exposedMethods: ['noop'] })
      return { run: (value) => pool.noop(value), end: () => pool.forceExit?.() ?? pool.end() }
    }
  },
}

async function tinypool(concurrentTasksPerWorker) {
  const { Tinypool } = await import('tinypool')
  return () => {
    const pool = new Tinypool({
      filename: here('tasks-tinypool.mjs'),
      runtime: 'child_process',
      serialization: 'advanced',
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker,
    })
    return { run: (value) => pool.run(value), end: () => pool.destroy() }
  }
}

const figures = {
  /** No-op tasks a second, all handed in at once. */
  async noop(make) {
    const pool = make()
    await warmUp(pool)
    const started = performance.now()
    const results = new Array(noops)
    for (let n = 0; n < noops; n++) results[n] = pool.run(n)
    const values = await Promise.all(results)
    const rate = (noops / (performance.now() - started)) * 1000
    if (values[noops - 1] !== noops - 1) throw new Error('wrong result')
    await pool.end()
    return rate
  },
  /** Buffers of 1 MB there and back a second, two on their way at a time. */
  async buffer(make) {
    const pool = make()
    await warmUp(pool)
    const buffer = Buffer.alloc(bufferBytes, 7)
    const one = async (times) => {
      for (let n = 0; n < times; n++) {
        const back = await pool.run(buffer)
        if (back.length !== bufferBytes || back[bufferBytes - 1] !== 7) throw new Error('wrong buffer')
      }
    }
    await one(4)
    const started = performance.now()
    await Promise.all([one(buffers / 2), one(buffers / 2)])
    const rate = (buffers / (performance.now() - started)) * 1000
    await pool.end()
    return rate
  },
  /** Milliseconds from making the pool to the first result. */
  async start(make) {
    const started = performance.now()
    const pool = make()
    await pool.run(1)
    const ms = performance.now() - started
    await pool.end()
    return ms
  },
}

const ours = {
  /** Items of a map() a second. */
  async map() {
    const pool = ourPool()
    const items = Array.from({ length: 1_000_000 }, (_, n) => n)
    await pool.map('noop', items.slice(0, 100_000))
    const rates = []
    for (let round = 0; round < 3; round++) {
      const started = performance.now()
      const values = await pool.map('noop', items)
      rates.push((items.length / (performance.now() - started)) * 1000)
      if (values[999_999] !== 999_999) throw new Error('wrong result')
    }
    await pool.kill()
    return rates.sort((a, b) => a - b)[1]
  },
  /**
   * 2,000 tasks of 10 µs and 200 of 10 ms of another function, mixed: the time of the whole by that of the ideal
   * schedule.
   */
  mixed: () => mixed((micros) => (micros > 1000 ? 'busyLong' : 'busy')),
  /** The same, all of one function. */
  mixedInOne: () => mixed(() => 'busy'),
  /** Bytes a task, of a million queued ones and their results. */
  async memory() {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    const pool = ourPool()
    await pool.apply('noop', [1])
    pool.hold()
    const used = () => {
      collect()
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const count = 1_000_000
    const results = new Array(count).fill(null)
    const before = used()
    for (let n = 0; n < count; n++) results[n] = pool.applyAsync('noop', [n])
    const bytes = (used() - before) / count
    if (pool.counts.queued !== count) throw new Error('they are not queued')
    await pool.kill()
    return bytes
  },
  /**
   * Milliseconds to terminate a pool of two stubborn workers and 10,000 queued tasks; grace period 100 ms, with
   * SIGKILL.
   */
  async terminate() {
    const pool = ourPool({ gracePeriodMs: 100, useSigkill: true })
    await Promise.all([pool.apply('noop', [1]), pool.apply('noop', [2])])
    for (let n = 0; n < 10_000; n++) pool.applyAsync('stubborn')
    while (pool.counts.running < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const started = performance.now()
    const issues = await pool.terminate()
    const ms = performance.now() - started
    if (issues.length > 0 || pool.counts.queued > 0) throw new Error(issues.join('\n') || 'tasks are left')
    return ms
  },
}

async function mixed(functionFor) {
  const pool = ourPool()
  await Promise.all([pool.apply('busy', [10]), pool.apply('busy', [10])])
  const tasks = Array.from({ length: 2200 }, (_, n) => (n % 11 === 5 ? 10_000 : 10))
  const started = performance.now()
  await Promise.all(tasks.map((micros) => pool.apply(functionFor(micros), [micros])))
  const ms = performance.now() - started
  await pool.kill()
  return ms / (tasks.reduce((sum, micros) => sum + micros, 0) / 1000 / workers)
}

function ourPool(options = {}) {
  const { Pool } = require('../../../dist/core.js')
  return new Pool({ module: here('tasks.cjs'), processes: workers, ...options })
}

/** Both workers are there, and the code is compiled. */
async function warmUp(pool) {
  await Promise.all(Array.from({ length: 5000 }, (_, n) => pool.run(n)))
}

const [system, figure] = process.argv.slice(2)
const value =
  figure in ours && system === 'unhang' ? await ours[figure]() : await figures[figure](await systems[system]())
console.log(JSON.stringify(value))
process.exitCode = 0
setTimeout(() => process.exit(), 100)
