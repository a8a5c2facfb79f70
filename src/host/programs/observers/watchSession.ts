import { randomBytes } from 'node:crypto'
import { watch, type FSWatcher } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { removeFolder } from '../../../files'
import { errorCodes } from '../../../protocol'
import { RequestError } from '../../terms/requestError'
import { nodeOptions } from './nodeOptions'

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the terminating zero. */
const longestSocketPath = 103
/** Notes come in bursts: a build starts many processes at once. */
const gatherNotesMs = 200
/** Processes of one program that make pools of their own. */
const mostParents = 256

export interface SessionOptions {
  /** The host's private folder. */
  readonly directory: string
  readonly id: string
  /** dist/observer */
  readonly observerPath: string
  readonly recordArguments: boolean
  readonly stackSignal: number | null
}

/**
 * The folder and the socket through which the observers in one program and this host meet; see
 * src/runtimes/observer/README.md.
 */
export class WatchSession {
  readonly #options: SessionOptions
  readonly #server: Server

  readonly #notes: FSWatcher | undefined

  private constructor(
    readonly directory: string,
    readonly token: string,
    options: SessionOptions,
    server: Server,
    onNote: () => void,
  ) {
    this.#options = options
    this.#server = server

    this.#notes = watchNotes(directory, onNote)
  }

  /** @param onNote A Node process has written something down; told a little later, once for many. */
  static async open(
    options: SessionOptions,
    onConnection: (socket: Socket, token: string) => void,
    onNote: () => void,
  ): Promise<WatchSession> {
    const directory = join(options.directory, options.id)
    const socketPath = join(directory, 'control.sock')
    if (Buffer.byteLength(socketPath) > longestSocketPath) {
      throw new RequestError(
        errorCodes.wrongState,
        `The path of the control socket would be too long (${socketPath}). Set UNHANG_RUNTIME_DIR to a shorter folder.`,
      )
    }
    const token = randomBytes(32).toString('hex')
    await mkdir(directory, { mode: 0o700 })
    const { recordArguments, stackSignal } = options
    await writeFile(
      join(directory, 'session.json'),
      JSON.stringify({ token, arguments: recordArguments, stackSignal }),
      { mode: 0o600 },
    )
    const server = createServer((socket) => {
      onConnection(socket, token)
    })
    server.maxConnections = mostParents
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(socketPath, () => {
        resolve()
      })
    })
    // A connection that fails is the observer's loss alone: it goes on without us.
    server.on('error', () => undefined)
    return new WatchSession(directory, token, options, server, onNote)
  }

  /** What the program's environment needs beside what it has. */
  environment(env: Readonly<Record<string, string | undefined>>, argv: readonly string[]): Record<string, string> {
    const path = env.PYTHONPATH
    return {
      UNHANG_WATCH: this.directory,
      UNHANG_WORKER: `${this.#options.id}/main`,
      PYTHONPATH:
        path === undefined || path === ''
          ? this.#options.observerPath
          : `${this.#options.observerPath}${delimiter}${path}`,
      ...nodeOptions(join(this.#options.observerPath, 'nodeObserver.cjs'), env.NODE_OPTIONS, argv),
    }
  }

  /** A file of the session folder, by the name that an observer gave. */
  file(name: string): string {
    return join(this.directory, name)
  }

  /** Removes a file that nobody needs any more; the rest goes with the folder. */
  remove(name: string): void {
    void rm(this.file(name), { force: true }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#notes?.close()
    await removeFolder(this.directory)
  }
}

/** Undefined where there is no watching of folders (or no more of it): the notes are then read at the next look. */
function watchNotes(directory: string, onNote: () => void): FSWatcher | undefined {
  let timer: NodeJS.Timeout | undefined
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      if (name?.startsWith('node-') !== true || timer !== undefined) return
      timer = setTimeout(() => {
        timer = undefined
        onNote()
      }, gatherNotesMs).unref()
    })
    watcher.on('error', () => {
      watcher.close()
    })
    return watcher
  } catch {
    return undefined
  }
}
