import type { MessageConnection } from 'vscode-jsonrpc/node'
import { connectOrStart, type ConnectedHost, type ConnectOptions } from './connect'
import type { HostInfo } from './hostInfo'
import type { Notifications, RequestMethod, Requests } from './messages'

/** The host answered a request with an error. `data` is the message's own error data, e.g. `LaunchErrorData`. */
export class HostRequestError extends Error {
  override readonly name = 'HostRequestError'
  constructor(readonly method: string, message: string, readonly code: number, readonly data: unknown) {
    super(message)
  }
}

/** The host did not answer in time. */
export class HostTimeoutError extends Error {
  override readonly name = 'HostTimeoutError'
  constructor(readonly method: string, readonly timeoutMs: number, readonly pid: number) {
    super(`The Unhang host (pid ${pid}) did not answer ${method} within ${timeoutMs} ms. It may be stopped or overloaded: look at its log, or end it with \`kill ${pid}\`.`)
  }
}

/** The connection to the host ended while an answer was due, or before a request. */
export class HostGoneError extends Error {
  override readonly name = 'HostGoneError'
  constructor(readonly method: string, readonly pid: number) {
    super(method === 'initialize'
      ? `The Unhang host (pid ${pid}) ended the connection before it said who it is: it has just ended, or has as many files open as its limit allows (ulimit -n). Run the command again in a moment.`
      : `The connection to the Unhang host (pid ${pid}) ended before it answered ${method}. Run the command again; a new host starts by itself if that one has ended.`)
  }
}

/** Longest wait for an answer, where the caller names none. A shutdown is given its passes on top by the caller. */
export const defaultRequestTimeoutMs = 10_000

/**
 * A typed client for terminals and tests. (The extension speaks through vscode-languageclient instead.)
 * Every request is bounded in time.
 */
export class HostConnection {
  private closed = false

  private constructor(private readonly rpc: MessageConnection, private readonly connected: ConnectedHost) {
    rpc.onClose(() => { this.closed = true })
  }

  /** Does the handshake over a fresh socket. The JSON-RPC library is loaded here, not when this module is. */
  static async open(connected: ConnectedHost, options: { timeoutMs?: number | undefined } = {}): Promise<HostConnection> {
    const { timeoutMs = defaultRequestTimeoutMs } = options
    const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = await import('vscode-jsonrpc/node')
    const { socket } = connected
    const rpc = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket))
    // A reset socket also closes, and that is what requests and onClose report.
    rpc.onError(() => undefined)
    const connection = new HostConnection(rpc, connected)
    rpc.listen()
    try {
      await connection.send('initialize', {
        processId: process.pid,
        rootUri: null,
        capabilities: {},
        initializationOptions: connected.initializationOptions,
      }, timeoutMs)
      await rpc.sendNotification('initialized', {})
    } catch (error) {
      connection.dispose()
      throw error
    }
    return connection
  }

  /**
   * Finds the host or starts one, and does the handshake. A host that ends at that very moment (nobody had needed it for
   * half a minute) is no error: the next one is tried.
   */
  static async connect(options: ConnectOptions): Promise<HostConnection> {
    try {
      return await HostConnection.open(await connectOrStart(options), options)
    } catch (error) {
      if (!(error instanceof HostGoneError)) throw error
      return HostConnection.open(await connectOrStart(options), options)
    }
  }

  /** The host at the other end. */
  get info(): HostInfo {
    return this.connected.info
  }

  /** Where the host keeps its files. */
  get endpoint(): ConnectedHost['endpoint'] {
    return this.connected.endpoint
  }

  /** @throws {@link HostRequestError}, {@link HostTimeoutError}, {@link HostGoneError} */
  async request<M extends RequestMethod>(method: M, params: Requests[M]['params'], { timeoutMs = defaultRequestTimeoutMs } = {}): Promise<Requests[M]['result']> {
    return (await this.send(method, params, timeoutMs)) as Requests[M]['result']
  }

  /** Calls back for every such notification until the returned function is called. */
  on<N extends keyof Notifications>(method: N, listener: (params: Notifications[N]) => void): () => void {
    const subscription = this.rpc.onNotification(method, (params: Notifications[N]) => { listener(params) })
    return () => { subscription.dispose() }
  }

  /** Called once when the host ends the connection or goes away (not after {@link close}). */
  onClose(listener: () => void): void {
    if (this.closed) listener()
    else this.rpc.onClose(listener)
  }

  /** Takes leave as LSP wants it. The host and its pools go on. */
  async close(): Promise<void> {
    if (!this.closed) {
      try {
        await this.send('shutdown', undefined, 1000)
        await this.rpc.sendNotification('exit')
      } catch {
        // A host that does not answer is left all the same.
      }
    }
    this.dispose()
  }

  /** Drops the connection at once. */
  dispose(): void {
    this.closed = true
    this.rpc.dispose()
    this.connected.socket.destroy()
  }

  private async send(method: string, params: unknown, timeoutMs: number): Promise<unknown> {
    const { pid } = this.connected.info
    if (this.closed) throw new HostGoneError(method, pid)
    const { promise: late, reject } = deferredRejection()
    const timer = setTimeout(() => { reject(new HostTimeoutError(method, timeoutMs, pid)) }, timeoutMs)
    const closing = this.rpc.onClose(() => { setTimeout(() => { reject(new HostGoneError(method, pid)) }, lastAnswersMs) })
    try {
      return await Promise.race([params === undefined ? this.rpc.sendRequest(method) : this.rpc.sendRequest(method, params), late])
    } catch (error) {
      if (error instanceof Error && typeof (error as { code?: unknown }).code === 'number' && !(error instanceof HostTimeoutError)) {
        const { code, data, message } = error as Error & { code: number; data?: unknown }
        if (connectionLostCodes.has(code) || (code === writeErrorCode && /EPIPE|ECONNRESET|destroyed|after end/.test(message))) throw new HostGoneError(method, pid)
        throw new HostRequestError(method, message, code, data)
      }
      throw error
    } finally {
      clearTimeout(timer)
      closing.dispose()
    }
  }
}

/** An answer that came just before the end is still on its way through the JSON-RPC library, a turn of the event loop a message. */
const lastAnswersMs = 100

function deferredRejection(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<never>((_, refuse) => { reject = refuse })
  return { promise, reject }
}

/** What vscode-jsonrpc answers for a request that was in flight, or not yet written, when the connection ended. */
const connectionLostCodes = new Set([-32098, -32097, -32096])
/** The same, or a message that JSON cannot hold. */
const writeErrorCode = -32099
