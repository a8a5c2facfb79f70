/**
 * The only file that loads vscode-languageclient and the protocol's schemas. It is bundled into a chunk of its own
 * (`dist/extension-client.js`) that is read when a host is first needed, never at activation.
 */
import { RelativePattern, type LogOutputChannel, type WorkspaceFolder } from 'vscode'
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, type LanguageClientOptions, type StreamInfo } from 'vscode-languageclient/node'
import { HostNotRunningError, connectOrStart, type ConnectedHost, type Notifications, type RequestMethod, type Requests } from '../../protocol'
import { Emitter, type Disposable } from '../lifecycle'
import { HostTimeoutError, type ConnectMode, type HostConnection, type RequestOptions } from './connection'
import { withTimeout } from './withTimeout'

/** What it takes to reach the host of one folder. */
export interface LanguageConnectionOptions {
  readonly folder: WorkspaceFolder
  /** Path of dist/host.js. */
  readonly hostScript: string
  /** Node executable that runs it; undefined for the one VS Code runs on. */
  readonly nodePath: string | undefined
  readonly log: LogOutputChannel
  readonly env: NodeJS.ProcessEnv
}

/** The handshake is two messages; a host that takes longer hangs. */
const handshakeTimeoutMs = 10_000
/** How long a host may take to say goodbye before its socket is simply closed. */
const goodbyeTimeoutMs = 1_000

/** Connects to the host of a folder; undefined when none runs and none was to be started. */
export async function openLanguageConnection(options: LanguageConnectionOptions, mode: ConnectMode): Promise<HostConnection | undefined> {
  const { folder, hostScript, nodePath, env } = options
  let host: ConnectedHost
  try {
    host = await connectOrStart({ root: folder.uri.fsPath, hostScript, nodePath, start: mode === 'start', client: 'vscode', env })
  } catch (error) {
    if (mode === 'existing' && error instanceof HostNotRunningError) return undefined
    throw error
  }
  options.log.info(`${host.started ? 'Started' : 'Found'} the host of ${folder.name}: pid ${host.info.pid}, version ${host.info.version}.`)
  const connection = new LanguageConnection(options, host)
  try {
    await withTimeout(connection.start(), handshakeTimeoutMs, () => new HostTimeoutError('initialize', handshakeTimeoutMs))
  } catch (error) {
    host.socket.destroy()
    await connection.close()
    throw error
  }
  return connection
}

class LanguageConnection implements HostConnection {
  readonly #client: QuietLanguageClient
  readonly #socket: ConnectedHost['socket']
  readonly #closed = new Emitter<void>()
  #closing = false

  readonly onDidClose = this.#closed.event

  constructor({ folder, log }: LanguageConnectionOptions, host: ConnectedHost) {
    this.#socket = host.socket
    const tasksFile = new RelativePattern(folder, '.vscode/tasks.json')
    const pattern = { baseUri: folder.uri.toString(), pattern: tasksFile.pattern }
    const clientOptions: LanguageClientOptions = {
      documentSelector: [
        { scheme: 'file', language: 'jsonc', pattern },
        { scheme: 'file', language: 'json', pattern },
      ],
      workspaceFolder: folder,
      initializationOptions: host.initializationOptions,
      outputChannel: log,
      traceOutputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        // The supervisor connects again, with a new client: this one could only restart what it was made for.
        closed: () => {
          this.#lost()
          return { action: CloseAction.DoNotRestart, handled: true }
        },
      },
    }
    const stream: StreamInfo = { reader: host.socket, writer: host.socket, detached: true }
    this.#client = new QuietLanguageClient('unhang', 'Unhang', () => Promise.resolve(stream), clientOptions)
  }

  start(): Promise<void> {
    return this.#client.start()
  }

  async request<M extends RequestMethod>(method: M, params: Requests[M]['params'], { timeoutMs }: RequestOptions): Promise<Requests[M]['result']> {
    return withTimeout(this.#client.sendRequest<Requests[M]['result']>(method, params), timeoutMs, () => new HostTimeoutError(method, timeoutMs))
  }

  onNotification<M extends keyof Notifications>(method: M, listener: (params: Notifications[M]) => void): Disposable {
    return this.#client.onNotification(method, listener)
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#closed.dispose()
    // dispose() stops first: shutdown and exit are sent, so that the host counts one client less at once.
    await this.#client.dispose(goodbyeTimeoutMs).catch(() => undefined)
    this.#socket.destroy()
  }

  #lost(): void {
    if (this.#closing) return
    this.#closing = true
    this.#socket.destroy()
    this.#closed.fire()
    this.#closed.dispose()
    // After the client's own handling of the close, which still uses its collections.
    setImmediate(() => { void this.#client.dispose(goodbyeTimeoutMs).catch(() => undefined) })
  }
}

/** The library shows a popup for what our supervisor handles; here everything goes to the log alone. */
class QuietLanguageClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false)
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false)
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false)
  }
}
