import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HostConnection } from '../../../src/discovery'
import type { PoolSnapshot, PoolVerdictSnapshot, RescueAction, WatchOptions } from '../../../src/protocol'
import { newest, type Python } from '../runtimes/pythons'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
export const programs = join(repository, 'test', 'fixtures', 'programs')
export const hostScript = join(repository, 'dist', 'host.js')
export const cliScript = join(repository, 'dist', 'cli.js')

/** What is promised is five seconds; a test on a loaded machine only asserts that it comes, and prints when. */
export const verdictWithinMs = 15_000
const lookEveryMs = 100

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A verdict as it was last seen, and when a client first saw it. */
export interface Sighting {
  readonly at: number
  readonly pool: PoolSnapshot
  readonly verdict: PoolVerdictSnapshot
}

export interface StartOptions {
  readonly args?: readonly string[]
  readonly python?: Python
  readonly watch?: WatchOptions
  readonly env?: Readonly<Record<string, string>>
  readonly stdio?: StdioOptions
  /** What starts it instead of the interpreter; gets the interpreter's command line as its arguments. */
  readonly through?: readonly string[]
  /** Options of the interpreter. */
  readonly flags?: readonly string[]
  /** Instead of the interpreter and the script. */
  readonly command?: readonly string[]
}

/** Calls until there is an answer; what was last seen is in the error when there never is. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { withinMs = verdictWithinMs, seen = (): unknown => '' } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const answer = await look()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms; seen: ${JSON.stringify(seen())}`)
    await sleep(25)
  }
}

/** True while a process with this pid is there and not a zombie. */
export function isRunning(pid: number): boolean {
  return !['', 'Z', 'X'].includes(stateOf(pid))
}

/** `R`, `S`, `T`, `D`, `Z`; empty when there is no such process. */
export function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  } catch {
    return ''
  }
}

/** A program that runs under watch, as `unhang run` has it: started here, and told to the host. */
export class WatchedRun {
  stdout = ''
  stderr = ''
  /** Every verdict that was seen, by pool, code, worker and task; with the time when it came first. */
  readonly sightings = new Map<string, Sighting>()
  readonly ended: Promise<Ended>
  hasEnded = false

  constructor(
    readonly watch: Watch,
    readonly id: string,
    readonly child: ChildProcess,
    readonly mark: string,
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(child, 'exit').then(([code, signal]) => {
      this.hasEnded = true
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  /** The program, and the pools in it. */
  get parts(): readonly PoolSnapshot[] {
    return this.watch.pools.filter(({ id, programId }) => id === this.id || programId === this.id)
  }

  get pool(): PoolSnapshot | undefined {
    return this.parts.find(({ kind }) => kind === 'watched')
  }

  /** All that was seen and is, or was, called stuck. */
  get stuck(): Sighting[] {
    return [...this.sightings.values()].filter(({ verdict }) => verdict.stuck)
  }

  /** What stands in a line of its output after this word. */
  said(word: string): string[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line === word || line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1))
  }

  async untilSaid(word: string, count = 1, withinMs?: number): Promise<string[]> {
    return await until(
      `the program says "${word}"`,
      () => (this.said(word).length >= count ? this.said(word) : undefined),
      { seen: () => this.story(), ...(withinMs === undefined ? {} : { withinMs }) },
    )
  }

  async untilPool(what: string, accept: (pool: PoolSnapshot) => boolean, withinMs?: number): Promise<PoolSnapshot> {
    return await until(what, () => this.parts.find((pool) => pool.kind === 'watched' && accept(pool)), {
      seen: () => this.story(),
      ...(withinMs === undefined ? {} : { withinMs }),
    })
  }

  /** The first sighting of such a verdict, in this program or in one of its pools. */
  async untilVerdict(
    code: string,
    accept: (verdict: PoolVerdictSnapshot) => boolean = () => true,
    withinMs?: number,
  ): Promise<Sighting> {
    return await until(
      `a verdict "${code}"`,
      () => [...this.sightings.values()].find(({ verdict }) => verdict.code === code && accept(verdict)),
      { seen: () => this.story(), ...(withinMs === undefined ? {} : { withinMs }) },
    )
  }

  /** No stuck verdict in any part, right now. */
  async untilWell(withinMs?: number): Promise<void> {
    await until(
      'nothing is stuck any more',
      () => this.parts.every(({ verdicts }) => verdicts.every(({ stuck }) => !stuck)),
      { seen: () => this.story(), ...(withinMs === undefined ? {} : { withinMs }) },
    )
  }

  async rescue(poolId: string, ...actions: RescueAction[]): Promise<{ done: boolean; text: string }[]> {
    return (await this.watch.host.request('unhang/rescue', { poolId, actions, askedBy: 'cli' }, { timeoutMs: 30_000 }))
      .outcomes
  }

  noteVerdicts(at: number): void {
    for (const pool of this.parts) {
      for (const verdict of pool.verdicts) {
        const key = `${pool.id} ${verdict.code} ${String(verdict.pid)} ${String(verdict.task)} ${String(verdict.stuck)}`
        this.sightings.set(key, { at: this.sightings.get(key)?.at ?? at, pool, verdict })
      }
    }
  }

  /** Every process that has this program's mark in its environment. */
  processes(): number[] {
    return markedBy(`UNHANG_TEST_PROGRAM=${this.mark}`)
  }

  /**
   * Ends what is left of it, by pid; a pool may replace its workers meanwhile. Python's own helpers end by themselves,
   * after they have cleaned up.
   */
  async end(): Promise<void> {
    const deadline = Date.now() + 5000
    await until(
      'the last process of the program ends',
      () => {
        const left = this.processes()
        const helpers =
          Date.now() > deadline
            ? []
            : left.filter((pid) => /multiprocessing\.(resource_tracker|forkserver)/.test(commandOf(pid)))
        for (const pid of left
          .filter((other) => !helpers.includes(other))
          .sort((x, y) => Number(y === this.pid) - Number(x === this.pid)))
          kill(pid)
        return left.length === 0
      },
      { seen: () => this.processes().map((pid) => [pid, stateOf(pid)]) },
    )
    if (this.child.pid !== undefined) await this.ended
  }

  /** For a failing test. */
  story(): unknown {
    return {
      stdout: this.stdout.slice(-2000),
      stderr: this.stderr.slice(-2000),
      parts: this.parts.map(({ name, kind, state, verdicts, counts, workers, program }) => ({
        name,
        kind,
        state,
        verdicts: verdicts.map(({ code, stuck, summary }) => ({ code, stuck, summary })),
        counts,
        workers: workers.map(
          ({ name: worker, pid, status, exitCode, signal, task }) =>
            `${worker} ${pid} ${status} ${String(exitCode)} ${String(signal)} ${task?.label ?? ''}`,
        ),
        observer: program?.observer,
        message: program?.message,
      })),
      sightings: [...this.sightings.values()].map(
        ({ verdict }) => `${verdict.code} ${String(verdict.stuck)}: ${verdict.summary}`,
      ),
    }
  }
}

/** One host, with as many programs under watch as wanted; a client looks at all of them ten times a second. */
export class Watch {
  pools: readonly PoolSnapshot[] = []
  readonly #runs: WatchedRun[] = []
  #looking = true
  #looker: Promise<void> = Promise.resolve()
  /** Why there are no more looks. */
  #failure: unknown
  #flags = 0

  private constructor(
    readonly folder: string,
    readonly root: string,
    readonly env: NodeJS.ProcessEnv,
    public host: HostConnection,
  ) {}

  static async open(more: Readonly<Record<string, string>> = {}): Promise<Watch> {
    if (!existsSync(hostScript)) throw new Error('dist/host.js is missing: run `npm run build` first')
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'unhang-p-')))
    const root = join(folder, 'w')
    mkdirSync(join(root, '.vscode'), { recursive: true })
    mkdirSync(join(folder, 'r'), { mode: 0o700 })
    // A fork server that is killed leaves the folder of its socket.
    mkdirSync(join(folder, 't'))
    const env = {
      ...process.env,
      UNHANG_RUNTIME_DIR: join(folder, 'r'),
      TMPDIR: join(folder, 't'),
      UNHANG_LOG_LEVEL: 'debug',
      NO_COLOR: '',
      ...more,
    }
    const watch = new Watch(
      folder,
      root,
      env,
      await HostConnection.connect({ root, hostScript, start: true, client: 'test', env, timeoutMs: 30_000 }),
    )
    watch.#looker = watch.#lookOn()
    return watch
  }

  /** A file that is not there yet. */
  flag(): string {
    return join(this.root, `flag-${(this.#flags += 1)}`)
  }

  /** To the next host, when the last one was killed. */
  async reconnect(): Promise<void> {
    await this.#looker
    this.#failure = undefined
    this.pools = []
    this.host = await HostConnection.connect({
      root: this.root,
      hostScript,
      start: true,
      client: 'test',
      env: this.env,
      timeoutMs: 30_000,
    })
    this.#looker = this.#lookOn()
  }

  get log(): string {
    return readFileSync(this.host.endpoint.logFile, 'utf8')
  }

  async start(
    script: string,
    {
      args = [],
      python = newest,
      watch = {},
      env = {},
      stdio = ['ignore', 'pipe', 'pipe'],
      through = [],
      flags = [],
      command,
    }: StartOptions = {},
  ): Promise<WatchedRun> {
    const argv = [
      ...through,
      ...(command ?? [
        python.path,
        ...flags,
        script.startsWith('/') || script === '' ? script : join(programs, script),
        ...args,
      ]),
    ]
    const mark = randomBytes(6).toString('hex')
    // Unbuffered, Python writes a line and its end apart, and lines of two workers run into each other.
    const full = {
      ...this.env,
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '',
      UNHANG_TEST_PROGRAM: mark,
      ...env,
    } as Record<string, string>
    const session = await this.host.request(
      'unhang/runProgram',
      { argv, cwd: this.root, env: full, options: watch },
      { timeoutMs: 30_000 },
    )
    const child = spawn(argv[0]!, argv.slice(1), { cwd: this.root, env: { ...full, ...session.env }, stdio })
    const run = new WatchedRun(this, session.programId, child, mark)
    this.#runs.push(run)
    await Promise.race([
      once(child, 'spawn'),
      once(child, 'error').then(([error]: unknown[]) => {
        throw error as Error
      }),
    ])
    await this.host.request(
      'unhang/programStarted',
      { programId: session.programId, pid: run.pid },
      { timeoutMs: 30_000 },
    )
    void run.ended
      .then(({ code, signal }) =>
        this.host.request('unhang/programExited', { programId: session.programId, exitCode: code, signal }),
      )
      .catch(() => undefined)
    return run
  }

  /**
   * Starts a program for one test, and ends it after that; what it looked like is in the error of a test that fails.
   */
  async run(script: string, options: StartOptions, test: (run: WatchedRun) => Promise<void>): Promise<void> {
    const run = await this.start(script, options)
    try {
      await test(run)
    } catch (error) {
      throw new Error(`${String(error)}\n${JSON.stringify(run.story(), null, 1)}`, { cause: error })
    } finally {
      await run.end()
    }
  }

  /** The command, in this workspace. */
  async cli(...args: readonly string[]): Promise<Ended & { stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [cliScript, ...args], {
      cwd: this.root,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    return { code, signal, stdout, stderr }
  }

  /** Ends everything, and fails when anything is left: a process, a socket, or the folder of a session. */
  async close(): Promise<void> {
    try {
      for (const run of this.#runs) await run.end()
      if (this.#failure !== undefined) throw this.#failure as Error
      await until('the host forgets the programs', () => this.pools.every(({ state }) => state === 'ended'), {
        seen: () =>
          this.pools.map(({ name, state, workers }) => ({
            name,
            state,
            workers: workers.filter(({ status }) => status !== 'exited'),
          })),
      })
      const { directory } = this.host.endpoint
      const folders = (): string[] => readdirSync(directory).filter((name) => name.startsWith('program-'))
      await until('no folder of a session is left', () => folders().length === 0, { seen: folders })
      await this.#stop()
      rmSync(join(this.folder, 't'), { recursive: true, force: true })
      const sockets = readdirSync(this.folder, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isSocket(),
      )
      if (sockets.length > 0) throw new Error(`Sockets are left: ${sockets.map(({ name }) => name).join(', ')}`)
    } finally {
      this.#looking = false
      for (const pid of this.processes()) kill(pid)
      rmSync(this.folder, { recursive: true, force: true })
    }
  }

  /** As a user would end the host. */
  async #stop(): Promise<void> {
    this.#looking = false
    await this.#looker
    this.host.dispose()
    const stopped = await this.cli('host', 'stop')
    await until('the last process ends', () => this.processes().length === 0, {
      seen: () => ({ stopped, left: this.processes().map((pid) => commandOf(pid)) }),
    })
  }

  /** Every process that was started from here: its environment names our runtime folder. */
  processes(): number[] {
    return markedBy(`UNHANG_RUNTIME_DIR=${join(this.folder, 'r')}`)
  }

  async #lookOn(): Promise<void> {
    while (this.#looking) {
      try {
        const snapshot = await this.host.request('unhang/snapshot', {}, { timeoutMs: 30_000 })
        if (snapshot.kind === 'full') this.pools = snapshot.pools
        const now = Date.now()
        for (const run of this.#runs) run.noteVerdicts(now)
      } catch (error) {
        this.#failure = error
        return
      }
      await sleep(lookEveryMs)
    }
  }
}

function markedBy(variable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable) && isRunning(pid)
      } catch {
        return false
      }
    })
}

function commandOf(pid: number): string {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`
  } catch {
    return String(pid)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was faster.
  }
}
