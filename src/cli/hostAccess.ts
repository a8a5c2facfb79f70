import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  connectOrStart,
  endHungHost,
  endpointOf,
  findWorkspaceRoot,
  HostConnection,
  HostNotRunningError,
  lookAtHost,
  type HostCondition,
  type HostEnd,
  type HostScript,
} from '../discovery'
import { CliError } from './errors'

const hostScript = join(__dirname, 'host.js')

/** The host of one workspace, as the commands reach it. */
export class HostAccess {
  readonly #env: NodeJS.ProcessEnv

  /** @param workspace `--workspace`, used as it is; without it the workspace of the current folder. */
  constructor(workspace: string | undefined, env: NodeJS.ProcessEnv = process.env) {
    this.#env = env

    if (workspace !== undefined) mustBeFolder(workspace)
    this.root = workspace ?? findWorkspaceRoot(process.cwd())
  }

  readonly root: string

  /** Runs `use` with a connection to the host, which is started when there is none. */
  async started<T>(use: (host: HostConnection) => Promise<T>): Promise<T> {
    return await using(await this.#open(true), use)
  }

  /** As {@link started}, but without a host it is not started, and the answer is undefined. */
  async running<T>(use: (host: HostConnection) => Promise<T>): Promise<T | undefined> {
    let host: HostConnection
    try {
      host = await this.#open(false)
    } catch (error) {
      if (error instanceof HostNotRunningError) return undefined
      throw error
    }
    return await using(host, use)
  }

  /**
   * As {@link running}, but a host is started when the last one left workers or watched programs behind: only a host
   * can tell which of them still live, and end the workers.
   */
  async runningOrSurvived<T>(use: (host: HostConnection) => Promise<T>): Promise<T | undefined> {
    return (await this.#leftBehind()) ? await this.started(use) : await this.running(use)
  }

  /** How the host is, asked of the system and not of the host; null when there is none. */
  async look(): Promise<HostCondition> {
    return await lookAtHost(await this.#script())
  }

  /** Ends a host that does not answer, by SIGKILL. */
  async endHung(host: NonNullable<HostCondition>): Promise<HostEnd> {
    return await endHungHost(await this.#script(), host, 'cli')
  }

  async #script(): Promise<HostScript> {
    const { root } = await endpointOf(this.root, this.#env)
    return { root, hostScript, nodePath: process.execPath, env: this.#env }
  }

  async #leftBehind(): Promise<boolean> {
    const { ledgerFile, programsFile } = await endpointOf(this.root, this.#env)
    return (await hasContent(ledgerFile)) || (await hasContent(programsFile))
  }

  async #open(start: boolean): Promise<HostConnection> {
    const connected = await connectOrStart({ root: this.root, hostScript, start, client: 'cli', env: this.#env })
    return await HostConnection.open(connected)
  }
}

async function hasContent(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** What was typed wrong is said as it was typed, before anything is done. */
function mustBeFolder(workspace: string): void {
  const problem = problemOf(workspace)
  if (problem === undefined) return
  throw new CliError(`--workspace ${workspace}: ${problem}`, [
    'Name an existing folder, or leave --workspace out: then it is the nearest parent with .vscode or .git.',
  ])
}

function problemOf(folder: string): string | undefined {
  try {
    const found = statSync(folder, { throwIfNoEntry: false })
    if (found === undefined) return 'there is no such folder'
    return found.isDirectory() ? undefined : 'it is a file'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function using<T>(host: HostConnection, use: (host: HostConnection) => Promise<T>): Promise<T> {
  try {
    return await use(host)
  } finally {
    await host.close()
  }
}
