import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PsJson, PsPool } from '../../../src/cli/ps/json'
import { endpointOf, readHostInfo, type HostInfo } from '../../../src/discovery'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const cliScript = join(repository, 'dist', 'cli.js')

/** What one run of the command said, and how it ended. */
export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs, as in a second terminal. */
export class RunningCli {
  stdout = ''
  stderr = ''
  readonly finished: Promise<Finished>

  constructor(readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.finished = once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }))
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

/** Calls until there is an answer; the last one is in the error when there never is. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  { withinMs = 30_000 } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const answer = await look()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await sleep(50)
  }
}

/** True while a process with this pid lives (a zombie does not). */
export async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat !== undefined && !/^\d+ \(.*\) [ZX]/s.test(stat)
}

/** A copy of the demo workspace, with a runtime folder of its own, and the real command in it. */
export class Workspace {
  readonly #base: string

  private constructor(
    base: string,
    readonly folder: string,
    readonly runtimeDirectory: string,
  ) {
    this.#base = base
  }

  static async create(): Promise<Workspace> {
    if (!existsSync(cliScript)) throw new Error('dist/cli.js is missing: run `npm run build` first')
    const base = await realpath(await mkdtemp(join(tmpdir(), 'unhang-cli-')))
    const folder = join(base, 'repo', 'test', 'fixtures', 'demo')
    await cp(join(repository, 'test', 'fixtures', 'demo'), folder, { recursive: true })
    // Word count counts the files of src/ three folders above it.
    await cp(join(repository, 'src', 'cli'), join(base, 'repo', 'src', 'cli'), { recursive: true })
    const runtimeDirectory = join(base, 'run')
    await mkdir(runtimeDirectory, { mode: 0o700 })
    // A fork server that is killed leaves the folder of its socket.
    await mkdir(join(base, 't'))
    return new Workspace(base, folder, runtimeDirectory)
  }

  /** Another tasks.json than the demo's; `type` is added. */
  async writeTasks(tasks: readonly Record<string, unknown>[]): Promise<void> {
    const full = tasks.map((task) => ({ type: 'pool', ...task }))
    await writeFile(
      join(this.folder, '.vscode', 'tasks.json'),
      JSON.stringify({ version: '2.0.0', tasks: full }, null, 2),
    )
  }

  async write(path: string, text: string): Promise<void> {
    await writeFile(join(this.folder, path), text)
  }

  /** What to spawn for a command, and where. */
  commandLine(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { command: string[]; cwd: string; env: NodeJS.ProcessEnv } {
    return {
      command: [process.execPath, cliScript, ...args],
      cwd: this.folder,
      env: {
        ...process.env,
        UNHANG_RUNTIME_DIR: this.runtimeDirectory,
        TMPDIR: join(this.#base, 't'),
        NO_COLOR: '',
        ...env,
      },
    }
  }

  /** Starts a command and lets it run. */
  start(args: readonly string[], { env }: { env?: NodeJS.ProcessEnv } = {}): RunningCli {
    const {
      command: [program = '', ...rest],
      ...options
    } = this.commandLine(args, env)
    return new RunningCli(spawn(program, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  /** Starts any command line, as {@link commandLine} gives one. */
  startAs([program = '', ...args]: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): RunningCli {
    return new RunningCli(spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  /** What the host wrote about itself. */
  async hostInfo(): Promise<HostInfo> {
    const info = await readHostInfo(await endpointOf(this.folder, { UNHANG_RUNTIME_DIR: this.runtimeDirectory }))
    if (info === undefined) throw new Error('no host has announced itself')
    return info
  }

  /** Runs a command to its end. */
  async run(...args: readonly string[]): Promise<Finished> {
    return await this.start(args).finished
  }

  async pools(): Promise<readonly PsPool[]> {
    const { code, stdout, stderr } = await this.run('ps', '--json')
    if (code !== 0) throw new Error(`ps: exit ${code}: ${stderr}`)
    return (JSON.parse(stdout) as PsJson).pools
  }

  /** The pool of that name once `accept` takes it. */
  async untilPool(name: string, accept: (pool: PsPool) => boolean, options?: { withinMs?: number }): Promise<PsPool> {
    let last: PsPool | undefined
    try {
      return await until(
        `pool ${name}`,
        async () => {
          last = (await this.pools()).find((pool) => pool.name === name)
          return last !== undefined && accept(last) ? last : undefined
        },
        options,
      )
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : ''}; last seen: ${JSON.stringify(last)}`, {
        cause: error,
      })
    }
  }

  async hostPid(): Promise<number> {
    const status = JSON.parse((await this.run('host', 'status', '--json')).stdout) as { pid: number } | null
    if (status === null) throw new Error('no host runs')
    return status.pid
  }

  /** Every process that was started from here: its environment names our runtime folder, which nobody else's does. */
  async processes(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
    const ours = await Promise.all(
      pids.map(async (pid) => {
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
        return environment.split('\0').includes(`UNHANG_RUNTIME_DIR=${this.runtimeDirectory}`) && (await lives(pid))
          ? pid
          : undefined
      }),
    )
    return ours.filter((pid) => pid !== undefined)
  }

  /** Ends the host as a user would, and throws when anything is left after that. */
  async dispose(): Promise<void> {
    let stopped: Finished | undefined
    try {
      // What a test left on purpose (a pool that ignores SIGTERM) goes first.
      for (const pool of await this.pools()) if (pool.state !== 'ended') await this.run('kill', pool.id)
      stopped = await this.run('host', 'stop')
      await until('the last process ends', async () => ((await this.processes()).length === 0 ? true : undefined), {
        withinMs: 5000,
      })
    } catch (error) {
      const left = await this.processes()
      for (const pid of left) process.kill(pid, 'SIGKILL')
      throw new Error(`left behind: ${left.join(', ')}; host stop said ${JSON.stringify(stopped)}`, { cause: error })
    } finally {
      await rm(this.#base, { recursive: true, force: true })
    }
  }
}
