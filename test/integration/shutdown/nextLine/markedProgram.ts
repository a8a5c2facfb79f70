import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HostConnection } from '../../../../src/discovery'
import { RunningCli, until, type Finished, type Workspace } from '../../cli/workspace'
import { endProcess, processesWith, processOf, type SeenProcess } from './markedProcesses'

const fixtures = fileURLToPath(new URL('../../../fixtures/nextLine/', import.meta.url))
const hostScript = fileURLToPath(new URL('../../../../dist/host.js', import.meta.url))
const markName = 'UNHANG_TEST_PROGRAM'

/** On a machine where every core is taken, and with other programs that start at the same time. */
const startsWithinMs = 60_000
const endsWithinMs = 30_000

/** Started before any program, so that the host does not carry the mark of one. */
export async function connectHost({ folder, runtimeDirectory }: Workspace): Promise<HostConnection> {
  const env = { ...process.env, UNHANG_RUNTIME_DIR: runtimeDirectory }
  return await HostConnection.connect({ root: folder, hostScript, start: true, client: 'test', env, timeoutMs: 30_000 })
}

/** The number that a shell would show: 143 for an end by SIGTERM. */
export function statusOf({ code, signal }: Pick<Finished, 'code' | 'signal'>): number | undefined {
  return code ?? (signal === null ? undefined : 128 + constants.signals[signal])
}

/**
 * A program in a folder of its own, where it writes whom it has started (`pids`) and what it did that it should not
 * have done (`marker`); all of its processes are found by a random mark in their environment.
 */
export class MarkedProgram {
  /** What it is before it is ended; set by {@link untilWaits}. */
  tree: readonly SeenProcess[] = []
  #cli: RunningCli | undefined
  readonly #mark = randomBytes(8).toString('hex')

  private constructor(
    readonly workspace: Workspace,
    readonly folder: string,
  ) {}

  static async create(workspace: Workspace): Promise<MarkedProgram> {
    const folder = join(workspace.folder, `program-${randomBytes(4).toString('hex')}`)
    await cp(fixtures, folder, { recursive: true })
    return new MarkedProgram(workspace, folder)
  }

  get environment(): Readonly<Record<string, string>> {
    return { [markName]: this.#mark, PYTHONDONTWRITEBYTECODE: '1' }
  }

  /** As `unhang run` does it. */
  run(command: readonly string[], options: readonly string[] = []): RunningCli {
    return this.start(this.workspace.commandLine(['run', ...options, '--', ...command]).command)
  }

  /** Without us. */
  start(command: readonly string[]): RunningCli {
    const { env } = this.workspace.commandLine([], this.environment)
    const [file = '', ...args] = command
    this.#cli = new RunningCli(spawn(file, args, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }))
    return this.#cli
  }

  /** Every process of it that lives now; not `unhang run`, which has its environment. */
  processes(): SeenProcess[] {
    return processesWith(`${markName}=${this.#mark}`).filter(
      ({ command }) => !/ \S*dist\/cli\.js (run|pool) /.test(command),
    )
  }

  /** The one above all others. */
  get root(): SeenProcess {
    const pids = new Set(this.tree.map(({ pid }) => pid))
    const [root, ...others] = this.tree.filter(({ parentPid }) => !pids.has(parentPid))
    if (root === undefined || others.length > 0)
      throw new Error(`the program has no single root: ${JSON.stringify(this.tree)}`)
    return root
  }

  /** Until `count` of its processes have said that they run. */
  async untilWaits(count: number): Promise<void> {
    await until(`${count} processes say that they run`, () => (this.pids.length >= count ? true : undefined), {
      withinMs: startsWithinMs,
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.story()}`, { cause: error })
    })
    this.tree = this.processes()
  }

  /** Until none of it is left; what is left after that is returned. */
  async untilGone(): Promise<SeenProcess[]> {
    await until('it is gone', () => (this.processes().length === 0 ? true : undefined), {
      withinMs: endsWithinMs,
    }).catch(() => undefined)
    // One that cleared its environment after it was seen counts, too.
    return this.tree
      .filter(({ pid, startTime }) => processOf(pid)?.startTime === startTime)
      .concat(this.processes().filter(({ pid }) => !this.tree.some((one) => one.pid === pid)))
  }

  /** Who has said that it runs, from the first on: one more is one that was started anew. */
  get pids(): number[] {
    return this.#lines('pids').map(Number)
  }
  /** What ran that should not have. */
  get nextLines(): string[] {
    return this.#lines('marker')
  }
  /** What its handlers said. */
  get said(): string[] {
    return this.#lines('said')
  }

  /** For a test that fails, too. */
  async end(): Promise<void> {
    await until('the last process ends', () => {
      const left = this.processes()
      for (const { pid } of left) endProcess(pid)
      return left.length === 0 ? true : undefined
    })
    this.#cli?.signal('SIGKILL')
    await this.#cli?.finished
  }

  story(): string {
    const { stdout = '', stderr = '' } = this.#cli ?? {}
    return JSON.stringify({ stdout, stderr, pids: this.pids, processes: this.processes() })
  }

  #lines(name: string): string[] {
    const file = join(this.folder, name)
    return existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : []
  }
}
