/**
 * The only file that loads vscode-languageclient and the protocol's schemas. It is bundled into a chunk of its own
 * (`dist/extension-client.js`) that is read when a host is first needed, never at activation.
 */
import { RelativePattern, type LogOutputChannel, type WorkspaceFolder } from 'vscode'
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type LanguageClientOptions,
  type StreamInfo,
} from 'vscode-languageclient/node'
import {
  HostHungError,
  HostNotRunningError,
  connectOrStart,
  endHungHost,
  endpointOf,
  hungAfterMs,
  lookAtHost,
  unlessHung,
  type ConnectedHost,
  type HostCondition,
  type HostScript,
} from '../../discovery'
import type { Notifications, RequestMethod, ResultOf, ParamsOf } from '../../protocol'
import { Emitter, type Disposable } from '../lifecycle'
import {
  HostHangsError,
  HostTimeoutError,
  type ConnectMode,
  type HostConnection,
  type HostProcess,
  type HungHost,
  type RequestOptions,
} from './connection'
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

/**
 * The handshake of a host that has just started, and still reads its own code; one that was there hangs after
 * `hungAfterMs`.
 */
const firstHandshakeMs = 10_000
/** How long a host may take to say goodbye before its socket is simply closed. */
const goodbyeTimeoutMs = 1_000

/** Connects to the host of a folder; undefined when none runs and none was to be started. */
export async function openLanguageConnection(
  options: LanguageConnectionOptions,
  mode: ConnectMode,
): Promise<HostConnection | undefined> {
  const { folder, hostScript, nodePath, env } = options
  let host: ConnectedHost
  try {
    host = await connectOrStart({
      root: folder.uri.fsPath,
      hostScript,
      nodePath,
      start: mode === 'start',
      client: 'vscode',
      env,
    })
  } catch (error) {
    if (mode === 'existing' && error instanceof HostNotRunningError) return undefined
    throw inOurWords(error)
  }
  options.log.info(
    `${host.started ? 'Started' : 'Found'} the host of ${folder.name}: pid ${host.info.pid}, version ` +
      `${host.info.version}.`,
  )
  const connection = new LanguageConnection(options, host)
  try {
    await unlessHung(connection.start(), host.script, host.info, host.started ? firstHandshakeMs : hungAfterMs)
  } catch (error) {
    host.socket.destroy()
    // A host that does not answer does not take leave either: nobody waits for that.
    void connection.close()
    throw inOurWords(error)
  }
  return connection
}

/** The process of a folder's host, looked at and ended from outside. */
export async function hostProcess({
  folder,
  hostScript,
  nodePath,
  env,
}: LanguageConnectionOptions): Promise<HostProcess> {
  const { root } = await endpointOf(folder.uri.fsPath, env)
  const script: HostScript = { root, hostScript, nodePath: nodePath ?? process.execPath, env }
  return {
    look: async () => hungHostOf(await lookAtHost(script)),
    end: (host) => endHungHost(script, host, 'user'),
  }
}

function hungHostOf(condition: HostCondition): HungHost | undefined {
  if (condition === null) return undefined
  const { pid, startTime, state } = condition
  return { pid, startTime, state: state === 'stopped' ? 'stopped' : 'silent' }
}

/** For the parts of the extension that do not load the protocol. */
function inOurWords(error: unknown): unknown {
  if (!(error instanceof HostHungError)) return error
  const { pid, startTime } = error.info
  return new HostHangsError(error.message, hungHostOf(error.condition ?? null) ?? { pid, startTime, state: 'silent' }, {
    cause: error,
  })
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

  async request<M extends RequestMethod>(
    method: M,
    params: ParamsOf<M>,
    { timeoutMs }: RequestOptions,
  ): Promise<ResultOf<M>> {
    return withTimeout(
      this.#client.sendRequest<ResultOf<M>>(method, params),
      timeoutMs,
      () => new HostTimeoutError(method, timeoutMs),
    )
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
    setImmediate(() => {
      void this.#client.dispose(goodbyeTimeoutMs).catch(() => undefined)
    })
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
