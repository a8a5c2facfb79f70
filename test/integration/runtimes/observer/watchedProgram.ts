import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { RecorderFile, type RecordedProcess } from '../../../../src/runtimes/observer/recorder'

/** The observer as it is in the sources; dist/ has a copy. */
export const observerPath = fileURLToPath(new URL('../../../../src/runtimes/observer', import.meta.url))
export const fixtures = fileURLToPath(new URL('../../../fixtures/observer/', import.meta.url))
const patienceMs = 20_000

export interface Hello {
  readonly version: number
  readonly token: string
  readonly pid: number
  readonly startTicks: number
  readonly parentPid: number
  readonly python: string
  readonly argv: readonly string[]
  readonly recorder: string | null
}
export interface SnapshotPool {
  readonly key: number
  readonly library: string
  readonly name: string
  readonly startMethod: string | null
  readonly processes: number
  readonly state: string
  readonly threads: {
    readonly workers: boolean | null
    readonly tasks: boolean | null
    readonly results: boolean | null
  }
  readonly queued: number
  readonly taskPipeBytes: number | null
  readonly resultPipeBytes: number | null
  readonly locks: { readonly tasks: string | null; readonly results: string | null }
  readonly jobs: readonly {
    readonly job: number
    readonly call: string
    readonly function: string
    readonly total: number | null
    readonly left: number | null
    readonly chunkSize: number
  }[]
  readonly pids: readonly number[]
}
export interface Snapshot {
  readonly time: number
  readonly ownCpu: number
  readonly ownSigint: boolean
  readonly threads: readonly { readonly id: number; readonly name: string; readonly daemon: boolean }[]
  readonly waitsIn: {
    readonly file: string
    readonly line: number
    readonly function: string
    readonly call: string
    readonly process: number | null
    readonly threads: boolean
  } | null
  readonly pools: readonly SnapshotPool[]
  readonly tasks: Readonly<
    Record<
      string,
      {
        readonly counter: number
        readonly job: number
        readonly index: number
        readonly function: string
        readonly label: string
        readonly first: number | null
        readonly items: number
      }
    >
  >
  readonly helpers: {
    readonly resourceTracker: number | null
    readonly forkServer: number | null
    readonly lokyTracker: number | null
  }
}
export interface Stacks {
  readonly threads: readonly {
    readonly name: string
    readonly daemon: boolean
    readonly frames: readonly {
      readonly file: string
      readonly line: number
      readonly function: string
      readonly code: string
    }[]
  }[]
}
export interface Done {
  readonly done: boolean
  readonly why: string
}
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Waits for a condition, twenty seconds at most. */
export async function until<Value>(
  condition: () => Value | undefined | false | Promise<Value | undefined | false>,
  what: string,
): Promise<Value> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await setTimeout(10)
  }
}

/** One process that makes pools, as it appears on the control channel. */
export class Connection {
  hello: Hello | undefined
  readonly events: { readonly event: string; readonly message?: string; readonly at: number }[] = []
  closed = false
  readonly #answers = new Map<number, { readonly result?: unknown; readonly error?: string }>()
  #text = ''
  #lastId = 0

  constructor(
    readonly socket: Socket,
    readonly token: string,
  ) {
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#take(text)
    })
    socket.on('close', () => {
      this.closed = true
    })
    socket.on('error', () => {
      // The program was killed.
    })
  }

  /** @throws with the observer's own words when it could not answer */
  async ask<Result>(method: string, params: Record<string, unknown> = {}): Promise<Result> {
    const id = ++this.#lastId
    this.socket.write(`${JSON.stringify({ id, method, params })}\n`)
    const answer = await until(
      () =>
        this.#answers.get(id) ??
        (this.closed ? { error: `the program has ended before it could answer to ${method}` } : undefined),
      `an answer to ${method}`,
    )
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.result as Result
  }

  snapshot(): Promise<Snapshot> {
    return this.ask('snapshot')
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop()!
    for (const line of lines) {
      const message = JSON.parse(line) as { hello?: Hello; event?: string; message?: string; id?: number }
      if (message.hello) {
        if (message.hello.token !== this.token) this.socket.destroy()
        else this.hello = message.hello
      } else if (message.event !== undefined) {
        this.events.push({
          event: message.event,
          at: performance.now(),
          ...(message.message === undefined ? {} : { message: message.message }),
        })
      } else if (message.id !== undefined) {
        this.#answers.set(message.id, message as object)
      }
    }
  }
}

export interface WatchOptions {
  readonly python: string
  /** A file in test/fixtures/observer, or anything else the interpreter takes. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** What session.json says besides the token. */
  readonly session?: Readonly<Record<string, unknown>>
  /** The token that the host expects, where it is another than session.json says. */
  readonly expectedToken?: string
  /** False: run as it would be without us. */
  readonly watched?: boolean
}

function temporaryOf(session: string): string {
  return `${session}-t`
}

/**
 * A program under watch, and the host that watches it: session folder, control channel, and nothing else of the real
 * one.
 */
export class WatchedProgram implements AsyncDisposable {
  readonly connections: Connection[] = []
  readonly child: ChildProcess
  readonly pid: number
  /** Once it has ended and nobody holds its output any more. */
  readonly ended: Promise<End>
  stdout = ''
  stderr = ''
  #isDisposed = false

  private constructor(
    readonly session: string,
    readonly server: Server,
    token: string,
    options: WatchOptions,
  ) {
    server.on('connection', (socket) => {
      this.connections.push(new Connection(socket, options.expectedToken ?? token))
    })
    writeFileSync(
      join(session, 'session.json'),
      JSON.stringify({ token, arguments: true, stackSignal: null, ...options.session }),
    )
    const watch =
      options.watched === false
        ? { UNHANG_WATCH: undefined }
        : {
            PYTHONPATH: [observerPath, ...(options.env?.PYTHONPATH === undefined ? [] : [options.env.PYTHONPATH])].join(
              delimiter,
            ),
            UNHANG_WATCH: session,
          }
    this.child = spawn(options.python, options.args, {
      cwd: options.cwd ?? fixtures,
      // A fork server that is killed leaves the folder of its socket.
      env: { ...process.env, TMPDIR: temporaryOf(session), PYTHONDONTWRITEBYTECODE: '1', ...options.env, ...watch },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as in a terminal: a Ctrl-C is for all of them.
      detached: true,
    })
    this.pid = this.child.pid!
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }))
  }

  static async start(options: WatchOptions): Promise<WatchedProgram> {
    const session = mkdtempSync(join(tmpdir(), 'unhang-observer-'))
    mkdirSync(temporaryOf(session))
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(join(session, 'control.sock'), resolve)
    })
    const program = new WatchedProgram(session, server, randomUUID(), options)
    // A test that runs out of time never comes to the end of its scope.
    onTestFinished(() => program[Symbol.asyncDispose]())
    return program
  }

  /** The n-th process that makes pools, once it has said who it is. */
  connected(index = 0): Promise<Connection> {
    return until(
      () => (this.connections[index]?.hello ? this.connections[index] : undefined),
      `connection ${index} (${this.stderr})`,
    )
  }

  /** What the observer has left in the session's folder. */
  files(): string[] {
    return readdirSync(this.session).filter((name) => !['session.json', 'control.sock'].includes(name))
  }

  /** The slots of the first process that makes pools, its own included; empty before there is a recorder. */
  slots(index = 0): readonly RecordedProcess[] {
    const name = this.files()
      .filter((file) => file.endsWith('.rec'))
      .sort()[index]
    if (name === undefined) return []
    using file = new RecorderFile(join(this.session, name))
    return file.read().processes
  }

  /** Workers whose slot says what is wanted of them. */
  slot(wanted: (slot: RecordedProcess) => boolean, what: string): Promise<RecordedProcess> {
    return until(() => this.slots().find((slot) => slot.slot > 0 && wanted(slot)), what)
  }

  /** The host dies: nobody listens any more, and nobody hangs up politely. */
  stopListening(): void {
    this.server.close()
    for (const { socket } of this.connections) socket.destroy()
  }

  /** Ends whatever is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    // Its group is its own as long as anybody of it is there; the recorder names those who may have outlived the
    // program.
    const left = [
      this.pid,
      ...this.files()
        .filter((file) => file.endsWith('.rec'))
        .flatMap((_, index) =>
          this.slots(index)
            .filter(({ pid, startTicks }) => isAlive(pid, startTicks))
            .map(({ pid }) => pid),
        ),
    ]
    for (const pid of left) {
      if (pid === this.pid && this.child.exitCode === null && this.child.signalCode === null) kill(-pid)
      else if (pid !== this.pid) kill(pid)
    }
    await Promise.race([this.ended, setTimeout(5000)])
    this.stopListening()
    rmSync(this.session, { recursive: true, force: true })
    rmSync(temporaryOf(this.session), { recursive: true, force: true })
  }
}

/** Whether that very process is there, and no zombie. */
export function isAlive(pid: number, startTicks: number): boolean {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    return fields[0] !== 'Z' && Number(fields[19]) === startTicks
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone in the meantime.
  }
}
