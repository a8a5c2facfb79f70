import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { WorkerProcess } from '../../../src/runtimes'
import { spawnPythonWorker } from '../../../src/runtimes'
import { fixtures, workerPath } from './pythons'

/**
 * The wire as the issue has it, written a second time: a test that used the product's codec could not see it change.
 */
export const kinds = {
  init: 1,
  define: 2,
  runJson: 3,
  softTimeout: 5,
  recallMark: 6,
  ready: 16,
  loadFailed: 17,
  returnedJson: 18,
  threw: 20,
  unserializable: 21,
  uncaught: 22,
  recalled: 23,
  overMemory: 24,
} as const
export const flags = { keepResult: 1, claim: 2, chunk: 4, star: 8 } as const

export interface Frame {
  readonly kind: keyof typeof kinds
  readonly number: number
  readonly extra: number
  /** Of the payload's JSON; undefined when it is empty. */
  readonly value: unknown
}
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}
/** What a task raised, as it arrives. */
export interface Thrown {
  readonly kind: string
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly cause?: Thrown
  readonly errors?: readonly Thrown[]
}

export function encode(kind: number, number: number, extra: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const header = Buffer.alloc(13)
  header.writeUInt32LE(bytes.length, 0)
  header.writeUInt8(kind, 4)
  header.writeUInt32LE(number, 5)
  header.writeUInt32LE(extra, 9)
  return Buffer.concat([header, bytes])
}

/** One run, ready to be written; several make a batch. */
export function run(number: number, args: readonly unknown[], options: { id?: number; flags?: number } = {}): Buffer {
  return encode(
    kinds.runJson,
    number,
    ((options.flags ?? flags.keepResult) << 16) | (options.id ?? 0),
    JSON.stringify(args),
  )
}

const nameOfKind = new Map(Object.entries(kinds).map(([name, kind]) => [kind, name as Frame['kind']]))
const patienceMs = 15_000

/** The pool's side of one Python worker, spoken by hand. */
export class WireWorker {
  readonly pid: number
  readonly frames: Frame[] = []
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''
  exit: Exit | undefined
  #bytes = Buffer.alloc(0)
  #read = 0

  constructor(
    readonly process: WorkerProcess,
    readonly claimsFd: number | undefined,
  ) {
    const { child, channel, stdout, stderr } = process
    this.pid = child.pid!
    channel.on('data', (chunk: Buffer) => {
      this.#take(chunk)
    })
    channel.on('error', () => {
      // It may leave with frames of ours unread.
    })
    stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    // 'close', not 'exit': everything that was printed and answered is here then.
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.exit = { code: code as number | null, signal: signal as NodeJS.Signals | null }
      return this.exit
    })
  }

  write(...frames: Buffer[]): void {
    this.process.channel.write(Buffer.concat(frames))
  }

  define(id: number, name: string, module: string | null = null): void {
    this.write(encode(kinds.define, id, 0, JSON.stringify({ module, name })))
  }

  softTimeout(number: number): void {
    this.write(encode(kinds.softTimeout, number, 0))
  }

  /** Allows so many tasks more to be claimed. */
  grant(total: number): void {
    ftruncateSync(this.claimsFd!, total)
  }

  /** Takes back what has not been claimed; how many that were. */
  recall(): number {
    return readSync(this.claimsFd!, Buffer.alloc(1024), 0, 1024, null)
  }

  /** The next frame that has not been looked at yet. */
  async next(): Promise<Frame> {
    await until(
      () => this.frames.length > this.#read || this.exit !== undefined,
      () => `a frame; the worker printed: ${this.stdout}${this.stderr}`,
    )
    const frame = this.frames[this.#read]
    if (frame === undefined)
      throw new Error(`the worker ended (${JSON.stringify(this.exit)}) without a frame: ${this.stdout}${this.stderr}`)
    this.#read += 1
    return frame
  }

  /** Runs one task to its answer. */
  async call(name: string, args: readonly unknown[] = [], options: { flags?: number } = {}): Promise<Frame> {
    this.define(99, name)
    this.write(run(1, args, { id: 99, ...options }))
    return this.next()
  }

  /** What a task that fails has raised. */
  async thrownBy(name: string, args: readonly unknown[] = []): Promise<Thrown> {
    const { kind, value } = await this.call(name, args)
    if (kind !== 'threw') throw new Error(`${name} did not raise: ${kind} ${JSON.stringify(value)}`)
    return value as Thrown
  }

  async printed(text: string): Promise<void> {
    await until(
      () => this.stdout.includes(text) || this.exit !== undefined,
      () => `"${text}" in ${this.stdout}${this.stderr}`,
    )
    if (!this.stdout.includes(text))
      throw new Error(`the worker ended without printing "${text}": ${this.stdout}${this.stderr}`)
  }

  /** Half-closes the channel, as a pool does that lets its worker go. */
  close(): void {
    this.process.channel.end()
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 13) {
      const end = 13 + this.#bytes.readUInt32LE(0)
      if (this.#bytes.length < end) return
      const kind = nameOfKind.get(this.#bytes.readUInt8(4) as 16)
      if (kind === undefined) throw new Error(`a frame of kind ${this.#bytes.readUInt8(4)}`)
      const payload = this.#bytes.toString('utf8', 13, end)
      this.frames.push({
        kind,
        number: this.#bytes.readUInt32LE(5),
        extra: this.#bytes.readUInt32LE(9),
        value: payload === '' ? undefined : JSON.parse(payload),
      })
      this.#bytes = this.#bytes.subarray(end)
    }
  }
}

interface StartOptions {
  readonly module?: string
  readonly defaultExport?: string | null
  readonly initializer?: { readonly module: string | null; readonly name: string }
  readonly initargs?: readonly unknown[]
  readonly maxMemoryBytes?: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly claims?: boolean
}

/** Starts workers for tests, and ends every one of them with its process group. */
export class WireWorkers {
  readonly #started: WireWorker[] = []
  /** Made when it is first needed: a suite that is skipped has no end in which it could be removed. */
  #madeFolder: string | undefined
  #files = 0

  get #folder(): string {
    return (this.#madeFolder ??= mkdtempSync(join(tmpdir(), 'unhang-python-')))
  }

  /** Starts a worker and sends `init`; whoever calls reads the answer. */
  spawn(python: string, options: StartOptions = {}): WireWorker {
    let claimsFd: number | undefined
    if (options.claims === true) {
      const path = join(this.#folder, `claims-${++this.#files}`)
      claimsFd = openSync(path, 'w+')
      rmSync(path)
    }
    const started = spawnPythonWorker({
      pythonPath: python,
      workerPath,
      cwd: options.cwd ?? fixtures,
      claimsFd,
      // Nothing may be left in the sources.
      env: { ...withoutPython(process.env), PYTHONDONTWRITEBYTECODE: '1', ...options.env },
    })
    if (!('channel' in started)) throw new Error(`${python} did not start`)
    const worker = new WireWorker(started, claimsFd)
    this.#started.push(worker)
    worker.write(
      encode(
        kinds.init,
        0,
        0,
        JSON.stringify({
          module: options.module ?? 'tasks',
          defaultExport: options.defaultExport ?? null,
          initializer: options.initializer ?? null,
          initargs: options.initargs ?? [],
          maxMemoryBytes: options.maxMemoryBytes ?? null,
        }),
      ),
    )
    return worker
  }

  /** Starts a worker that is ready to run tasks. */
  async start(python: string, options: StartOptions = {}): Promise<WireWorker> {
    const worker = this.spawn(python, options)
    const frame = await worker.next()
    if (frame.kind !== 'ready') throw new Error(`not ready but ${frame.kind}: ${JSON.stringify(frame.value)}`)
    return worker
  }

  /** A path for a file that is removed at the end. */
  file(): string {
    return join(this.#folder, `file-${++this.#files}`)
  }

  async endAll(): Promise<void> {
    for (const worker of this.#started.splice(0)) {
      // The group: also what a task left behind. While its leader has not been waited for, the id is nobody else's.
      if (worker.exit === undefined) kill(-worker.pid)
      await worker.exited
      if (worker.claimsFd !== undefined) closeSync(worker.claimsFd)
      worker.process.lifeline.destroy()
      worker.process.channel.destroy()
    }
    if (this.#madeFolder !== undefined) rmSync(this.#madeFolder, { recursive: true, force: true })
    this.#madeFolder = undefined
  }
}

/** What whoever runs the tests has set for their own interpreter. */
function withoutPython(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PYTHON')))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has gone meanwhile.
  }
}

export async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what()}`)
    await setTimeout(2)
  }
}
