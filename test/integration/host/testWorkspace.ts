import { build } from 'esbuild'
import { spawn, type ChildProcess } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connectOrStart,
  endpointOf,
  HostConnection,
  readHostInfo,
  type Endpoint,
  type HostInfo,
} from '../../../src/discovery'
import type { InitializationOptions, PoolSnapshot } from '../../../src/protocol'

const repository = resolve(import.meta.dirname, '../../..')
export const fixtures = join(repository, 'test/fixtures/host')

/** Bundles the host and puts the workers into a folder of their own, as the build does into dist/. */
export async function buildHost(): Promise<{ hostScript: string; remove(): void }> {
  const outdir = mkdtempSync(join(tmpdir(), 'uh-dist-'))
  await build({
    absWorkingDir: repository,
    entryPoints: {
      host: 'src/host/main.ts',
      'node-worker': 'src/runtimes/node/worker.ts',
      'file-reader': 'src/files/reader/thread.ts',
      'host-watchdog': 'src/host/watchdog/thread.ts',
    },
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  })
  cpSync(join(repository, 'src/runtimes/python'), join(outdir, 'python'), {
    recursive: true,
    filter: (source) => !source.endsWith('.ts') && !source.endsWith('__pycache__'),
  })
  return {
    hostScript: join(outdir, 'host.js'),
    remove: () => {
      rmSync(outdir, { recursive: true, force: true })
    },
  }
}

/** Waits until a condition holds, and gives back what it gave; fails with what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const result = await condition()
    if (result !== undefined && result !== null && result !== false) return result
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}`)
    await sleep(20)
  }
}

/** True while a process is there and not a zombie. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return false
  }
}

/** Processes below one, by parent. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
      .trim()
      .split(/\s+/)
      .filter((text) => text !== '')
      .map(Number)
  } catch {
    return []
  }
}

/** A workspace with a runtime folder of its own, whose hosts and workers are gone after the test. */
export class TestWorkspace {
  readonly #hostScript: string

  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-')))
  readonly root = join(this.folder, 'w')
  readonly env: NodeJS.ProcessEnv
  readonly #connections = new Set<HostConnection>()
  readonly #children: ChildProcess[] = []
  readonly #sockets: Socket[] = []
  /** Processes to end after the test, with their start times. */
  readonly #mine = new Map<number, string>()

  constructor(hostScript: string, env: Record<string, string> = {}) {
    this.#hostScript = hostScript

    mkdirSync(this.root)
    this.env = { ...process.env, UNHANG_RUNTIME_DIR: join(this.folder, 'r'), UNHANG_LOG_LEVEL: 'debug', ...env }
  }

  endpoint(): Promise<Endpoint> {
    return endpointOf(this.root, this.env)
  }

  async info(): Promise<HostInfo | undefined> {
    const info = await readHostInfo(await this.endpoint())
    if (info) this.track(info.pid)
    return info
  }

  /** A client of the host, which is started when there is none. */
  async connect({
    client = 'test',
    start = true,
  }: { client?: InitializationOptions['client']; start?: boolean } = {}): Promise<HostConnection> {
    const connection = await HostConnection.connect({
      root: this.root,
      hostScript: this.#hostScript,
      start,
      client,
      env: this.env,
      timeoutMs: 30_000,
    })
    this.#connections.add(connection)
    this.track(connection.info.pid)
    return connection
  }

  /** A socket to the host without a handshake. */
  async raw(): Promise<Socket> {
    const { socket, info } = await connectOrStart({
      root: this.root,
      hostScript: this.#hostScript,
      start: true,
      client: 'test',
      env: this.env,
      timeoutMs: 30_000,
    })
    this.track(info.pid)
    this.#sockets.push(socket)
    socket.on('error', () => undefined)
    return socket
  }

  /** Another socket to a host that runs. */
  async rawTo(info: HostInfo): Promise<Socket> {
    const socket = connect(info.socketPath)
    this.#sockets.push(socket)
    socket.on('error', () => undefined)
    await new Promise((done) => {
      socket.once('connect', done)
    })
    return socket
  }

  /** A host process of this test, as a starter would start it. */
  spawnHost(args = ['--root', this.root]): {
    child: ChildProcess
    ended: Promise<{ code: number | null; stderr: string }>
  } {
    const child = spawn(process.execPath, [this.#hostScript, ...args], {
      env: this.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#children.push(child)
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    return {
      child,
      ended: new Promise((done) => {
        child.once('close', (code) => {
          done({ code, stderr })
        })
      }),
    }
  }

  writeTasks(tasks: Record<string, unknown>[]): void {
    mkdirSync(join(this.root, '.vscode'), { recursive: true })
    writeFileSync(
      join(this.root, '.vscode', 'tasks.json'),
      JSON.stringify({ version: '2.0.0', tasks: tasks.map((task) => ({ type: 'pool', ...task })) }),
    )
  }

  /** Ended after the test, if it still runs then. */
  track(pid: number): void {
    // A test may name itself in a host.json.
    if (pid === process.pid || pid <= 1) return
    const start = startTimeOf(pid)
    if (start !== undefined) this.#mine.set(pid, start)
  }

  /** What the host wrote about itself, for a failing test. */
  async log(): Promise<string> {
    const { logFile } = await this.endpoint()
    return existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
  }

  async dispose(): Promise<void> {
    for (const connection of this.#connections) connection.dispose()
    for (const socket of this.#sockets) socket.destroy()
    await this.info()
    for (const [pid, start] of [...this.#mine]) {
      // What a host started goes with it, also when it was stopped or is stubborn.
      for (const child of startTimeOf(pid) === start ? childrenOf(pid) : []) this.track(child)
    }
    for (const [pid, start] of this.#mine) if (startTimeOf(pid) === start) process.kill(pid, 'SIGKILL')
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await until('every process of the test to be gone', () =>
      [...this.#mine].every(([pid, start]) => startTimeOf(pid) !== start || !isRunning(pid)),
    )
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** The pools as a full snapshot shows them. */
export async function poolsOf(connection: HostConnection): Promise<PoolSnapshot[]> {
  const snapshot = await connection.request('unhang/snapshot', {})
  if (snapshot.kind !== 'full') throw new Error('A full snapshot was asked for.')
  return snapshot.pools
}

/** One pool, once it looks as wanted. */
export function untilPool(
  connection: HostConnection,
  poolId: string,
  what: string,
  wanted: (pool: PoolSnapshot) => boolean,
  timeoutMs?: number,
): Promise<PoolSnapshot> {
  return until(
    what,
    async () => (await poolsOf(connection)).find((pool) => pool.id === poolId && wanted(pool)),
    timeoutMs,
  )
}

/** Files of an endpoint's folder. */
export function filesOf(endpoint: Endpoint): string[] {
  return existsSync(endpoint.directory) ? readdirSync(endpoint.directory).sort() : []
}
