import { closeSync, mkdtempSync, openSync, readSync, rmSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from '../../src/core'
import type { PoolOptions, TaskInfo } from '../../src/core'

/** What one pool has been through. */
export interface SoakResult {
  readonly tasks: number
  readonly done: number
  /** Lost with a worker that was killed while they ran. */
  readonly lost: number
  /** The second, third … that a worker took with it. */
  readonly lostBeyond: number
  /**
   * Lost before their first line: handed to a worker that was killed before it read them, or between its claim and that
   * line.
   */
  readonly lostUnbegun: number
  readonly cancelled: number
  /** More than one result, or more than one `taskEnd`. */
  readonly answeredTwice: number
  readonly begunTwice: number
  /** Done, but never begun, or with a wrong value. */
  readonly wrong: number
  /** Nothing ended for {@link hangMs}. */
  readonly hangs: number
  readonly deaths: number
  /** Processes of the pool that are left after its end. */
  readonly left: number
  /** Heap in use of this process, after a collection, at 10 % of the time and at its end. */
  readonly heapEarlyBytes: number
  readonly heapLateBytes: number
  readonly seconds: number
}

export interface SoakOptions {
  readonly seconds: number
  /** Where `soak_tasks` and `soak-tasks.cjs` are. */
  readonly repository: string
  readonly pythonPath?: string
}

const processes = 2
/** Handed in and not ended, at most. */
const mostOpen = 3000
const disturbEveryMs = 60
const hangMs = 30_000
/** Numbers of tasks start again from there, with a new journal: what is remembered of them is an array of bytes. */
const perRound = 1_000_000

/**
 * Hands in short tasks without a pause, now and then a longer one, while workers are killed from outside and through
 * the API and tasks are cancelled, at random. Each task writes its number to a journal when it begins.
 */
export async function soak(
  kind: 'node' | 'python',
  { seconds, repository, pythonPath }: SoakOptions,
): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'unhang-soak-'))
  try {
    const common = {
      processes,
      env: { UNHANG_JOURNAL: join(folder, 'journal') },
      outputDirectory: join(folder, 'output'),
    }
    const fixtures = join(repository, 'test/fixtures/properties')
    const options: PoolOptions =
      kind === 'node'
        ? { ...common, module: join(fixtures, 'tasks.cjs'), workerPath: join(repository, 'dist/node-worker.js') }
        : {
            ...common,
            python: 'property_tasks',
            cwd: fixtures,
            workerPath: join(repository, 'dist/python/worker.py'),
            ...(pythonPath === undefined ? {} : { pythonPath }),
          }
    return await new Soak(new Pool(options), join(folder, 'journal')).run(seconds)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bits of what is known of a task. */
const ended = 1
const isDone = 2
const wasLost = 4

class Soak {
  readonly #pool: Pool
  readonly #journal: string

  readonly #state = new Uint8Array(perRound)
  readonly #pids = new Set<number>()
  readonly #wakers: (() => void)[] = []
  #last = 0
  #open = 0
  #done = 0
  #lost = 0
  #cancelled = 0
  #deaths = 0
  /** Workers that took a task with them. */
  readonly #takers = new Set<string>()
  #lostBeyond = 0
  #answeredTwice = 0
  #wrong = 0
  #endEvents = 0
  #hangs = 0
  #lastEndAt = performance.now()
  #over = false

  constructor(pool: Pool, journal: string) {
    this.#pool = pool
    this.#journal = journal

    pool.on('workerStart', ({ pid }) => {
      this.#pids.add(pid)
    })
    pool.on('workerExit', () => {
      this.#deaths++
    })
    pool.on('taskLost', (_task, worker) => {
      if (this.#takers.has(worker.name)) this.#lostBeyond++
      this.#takers.add(worker.name)
    })
    // An end is told once for each task: more of them than tasks means that one was told twice.
    pool.on('taskEnd', () => {
      this.#endEvents++
    })
  }

  async run(seconds: number): Promise<SoakResult> {
    const started = performance.now()
    const until = started + seconds * 1000
    let heapEarlyBytes = 0
    const early = setTimeout(() => {
      heapEarlyBytes = heapInUse()
    }, seconds * 100)
    const watch = setInterval(() => {
      if (performance.now() - this.#lastEndAt < hangMs) return
      this.#hangs++
      this.#lastEndAt = performance.now()
      console.error(`nothing ends: ${JSON.stringify({ counts: this.#pool.counts, workers: this.#pool.workers })}`)
      for (const { pid } of this.#pool.workers) void this.#pool.killWorker(pid)
    }, 1000)
    const disturbing = this.#disturb()
    while (performance.now() < until && this.#last < perRound) await this.#feed()
    this.#over = true
    await disturbing
    this.#pool.close()
    await this.#pool.join()
    clearInterval(watch)
    clearTimeout(early)
    const heapLateBytes = heapInUse()
    const begun = this.#readJournal()
    return {
      tasks: this.#last,
      done: this.#done,
      lost: this.#lost,
      lostBeyond: this.#lostBeyond,
      cancelled: this.#cancelled,
      answeredTwice: this.#answeredTwice + Math.max(0, this.#endEvents - this.#last),
      wrong: this.#wrong + begun.wrong,
      begunTwice: begun.twice,
      lostUnbegun: begun.lostUnbegun,
      hangs: this.#hangs,
      deaths: this.#deaths,
      left: [...this.#pids].filter(isOurChild).length,
      heapEarlyBytes,
      heapLateBytes,
      seconds: (performance.now() - started) / 1000,
    }
  }

  /** Some hundred tasks, then a turn of the event loop; waits while there are enough. */
  async #feed(): Promise<void> {
    if (this.#open >= mostOpen) {
      await new Promise<void>((resolve) => {
        this.#wakers.push(resolve)
      })
      return
    }
    for (let n = 0; n < 500 && this.#last < perRound; n++) this.#submit()
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }

  #submit(): void {
    const id = this.#last++
    this.#open++
    const longer = id % 2000 === 1999
    this.#pool.applyAsync(longer ? 'other' : 'work', longer ? [id, 'sleep', 15] : [id, 'quick'], {
      callback: (value) => {
        this.#settled(id, isDone)
        this.#done++
        if (value !== 2 * id + 1) this.#wrong++
      },
      errorCallback: (error) => {
        const isLost = (error as Error).name === 'WorkerLostError'
        this.#settled(id, isLost ? wasLost : 0)
        if (isLost) this.#lost++
        else if ((error as Error).name === 'TaskCancelledError') this.#cancelled++
        else this.#wrong++
      },
    })
  }

  #settled(id: number, how: number): void {
    if ((this.#state[id] ?? 0) !== 0) this.#answeredTwice++
    this.#state[id] = ended | how
    this.#lastEndAt = performance.now()
    if (--this.#open < mostOpen / 2) for (const wake of this.#wakers.splice(0)) wake()
  }

  async #disturb(): Promise<void> {
    while (!this.#over) {
      await new Promise((resolve) => {
        setTimeout(resolve, Math.random() * 2 * disturbEveryMs)
      })
      const ready = this.#pool.workers.filter(
        ({ status, pid }) => (status === 'busy' || status === 'idle') && isOurChild(pid),
      )
      const worker = ready[Math.floor(Math.random() * ready.length)]
      const choice = Math.random()
      if (worker === undefined) continue
      if (choice < 0.35) process.kill(worker.pid, 'SIGKILL')
      else if (choice < 0.5) void this.#pool.killWorker(worker.pid)
      else if (choice < 0.6) this.#pause(worker.pid)
      else await this.#cancelSome()
    }
  }

  /** Stopped for a moment, as by a debugger or a machine that is short of memory. */
  #pause(pid: number): void {
    process.kill(pid, 'SIGSTOP')
    setTimeout(() => {
      if (isOurChild(pid)) process.kill(pid, 'SIGCONT')
    }, 50)
  }

  /** Tasks that run, have been sent ahead, or wait. */
  async #cancelSome(): Promise<void> {
    const running: readonly TaskInfo[] = this.#pool.runningTasks()
    const first = Number(running[0]?.id.slice(1) ?? 0)
    await Promise.all([0, 1, 5, 50, 500].map((behind) => this.#pool.cancelTask(`t${first + behind}`)))
  }

  #readJournal(): { twice: number; wrong: number; lostUnbegun: number } {
    const times = new Uint8Array(this.#last)
    const buffer = Buffer.alloc(1 << 20)
    const fd = openSync(this.#journal, 'r')
    let number = 0
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
      for (let at = 0; at < read; at++) {
        const byte = buffer[at] ?? 0
        if (byte !== 10) {
          number = number * 10 + byte - 48
          continue
        }
        times[number] = (times[number] ?? 0) + 1
        number = 0
      }
    }
    closeSync(fd)
    let twice = 0
    let wrong = 0
    let lostUnbegun = 0
    for (let id = 0; id < this.#last; id++) {
      const begun = times[id] ?? 0
      const state = this.#state[id] ?? 0
      if (begun > 1) twice++
      if (state === 0 || ((state & isDone) !== 0 && begun !== 1)) wrong++
      if ((state & wasLost) !== 0 && begun === 0) lostUnbegun++
    }
    return { twice, wrong, lostUnbegun }
  }
}

function heapInUse(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Alive, and a child of this process. */
function isOurChild(pid: number): boolean {
  if (pid <= 1) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(parent) === process.pid && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

interface Row {
  what: string
  value: string
  aim: string
  ok: boolean | null
}

/**
 * UNHANG_SOAK_SECONDS (600): half of it for Node workers, half for Python workers; again with a new pool after each
 * million of tasks.
 */
export async function run(): Promise<{ name: string; rows: Row[]; data: unknown }> {
  const seconds = Number(process.env.UNHANG_SOAK_SECONDS ?? 600)
  const results: Record<string, SoakResult[]> = { Node: [], Python: [] }
  for (const [name, kind] of [
    ['Node', 'node'],
    ['Python', 'python'],
  ] as const) {
    const until = performance.now() + seconds * 500
    while (until - performance.now() > 5000 || results[name]?.length === 0) {
      results[name]?.push(
        await soak(kind, { seconds: Math.max(1, (until - performance.now()) / 1000), repository: process.cwd() }),
      )
    }
  }
  const all = Object.values(results).flat()
  const sum = (field: keyof SoakResult): number => all.reduce((total, result) => total + result[field], 0)
  const tasks = sum('tasks')
  const zero = (what: string, field: keyof SoakResult): Row => ({
    what,
    value: String(sum(field)),
    aim: '0',
    ok: sum(field) === 0,
  })
  const growth = Math.max(
    ...all.map(({ heapEarlyBytes, heapLateBytes }) => (heapEarlyBytes === 0 ? 0 : heapLateBytes - heapEarlyBytes)),
  )
  const rows: Row[] = [
    {
      what: 'tasks',
      value: String(tasks),
      aim: seconds >= 600 ? '≥ 1000000' : '',
      ok: seconds >= 600 ? tasks >= 1_000_000 : null,
    },
    { what: 'done', value: String(sum('done')), aim: '', ok: null },
    { what: 'workers that died', value: String(sum('deaths')), aim: '', ok: null },
    { what: 'cancelled', value: String(sum('cancelled')), aim: '', ok: null },
    { what: 'lost', value: String(sum('lost')), aim: '', ok: null },
    zero('lost beyond those that were running', 'lostBeyond'),
    { what: 'lost before their first line', value: String(sum('lostUnbegun')), aim: '', ok: null },
    zero('answered twice', 'answeredTwice'),
    zero('begun twice', 'begunTwice'),
    zero('done wrongly or without having begun, or never ended', 'wrong'),
    zero('hangs', 'hangs'),
    zero('processes left', 'left'),
    {
      what: "heap of the pool's process, from 10 % of the time to its end",
      value: `${growth > 0 ? '+' : ''}${(growth / 2 ** 20).toFixed(1)} MiB`,
      aim: '≤ 8 MiB',
      ok: growth <= 8 * 2 ** 20,
    },
  ]
  return { name: 'Soak', rows, data: results }
}
