import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageConnection } from 'vscode-jsonrpc/node'
import { connectOrStart, type ConnectedHost, type ConnectOptions } from './connect'
import type { HostInfo } from './hostInfo'
import { hungAfterMs, patience, unlessHung } from './hungHost'
import type { Notifications, RequestMethod, ResultOf, ParamsOf } from '../protocol'

/** The host answered a request with an error. `data` is the message's own error data, e.g. `LaunchErrorData`. */
export class HostRequestError extends Error {
  override readonly name = 'HostRequestError'
  constructor(
    readonly method: string,
    message: string,
    readonly code: number,
    readonly data: unknown,
  ) {
    super(message)
  }
}

/** The host did not answer in time. */
export class HostTimeoutError extends Error {
  override readonly name = 'HostTimeoutError'
  constructor(
    readonly method: string,
    readonly timeoutMs: number,
    readonly pid: number,
  ) {
    super(
      `The Unhang host (pid ${pid}) did not answer ${method} within ${timeoutMs} ms. It may be overloaded: its ` +
        `log says more. If it stays so, \`unhang host stop --force\` or \`kill -9 ${pid}\` ends it.`,
    )
  }
}

/** The connection to the host ended while an answer was due, or before a request. */
export class HostGoneError extends Error {
  override readonly name = 'HostGoneError'
  constructor(
    readonly method: string,
    readonly pid: number,
  ) {
    super(
      method === 'initialize'
        ? `The Unhang host (pid ${pid}) ended the connection before it said who it is: it has just ended, or has ` +
            'as many files open as its limit allows (ulimit -n). Run the command again in a moment.'
        : `The connection to the Unhang host (pid ${pid}) ended before it answered ${method}. Run the command ` +
            'again; a new host starts by itself if that one has ended.',
    )
  }
}

/** Longest wait for an answer, where the caller names none. A shutdown is given its passes on top by the caller. */
export const defaultRequestTimeoutMs = 10_000

/**
 * A typed client for terminals and tests. (The extension uses vscode-languageclient instead.) Every request is bounded
 * in time.
 */
export class HostConnection {
  readonly #rpc: MessageConnection
  readonly #connected: ConnectedHost

  #closed = false

  private constructor(rpc: MessageConnection, connected: ConnectedHost) {
    this.#rpc = rpc
    this.#connected = connected

    rpc.onClose(() => {
      this.#closed = true
    })
  }

  /** Does the handshake over a fresh socket. The JSON-RPC library is loaded here, not when this module is. */
  static async open(
    connected: ConnectedHost,
    options: { timeoutMs?: number | undefined } = {},
  ): Promise<HostConnection> {
    // A host that has just started is still loading its code.
    const timeoutMs = options.timeoutMs ?? (connected.started ? defaultRequestTimeoutMs : hungAfterMs)
    const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = await import('vscode-jsonrpc/node')
    const { socket } = connected
    const rpc = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket))
    // A reset socket also closes; requests and onClose report the close.
    rpc.onError(() => undefined)
    const connection = new HostConnection(rpc, connected)
    rpc.listen()
    try {
      await unlessHung(
        connection.#send(
          'initialize',
          {
            processId: process.pid,
            rootUri: null,
            capabilities: {},
            initializationOptions: connected.initializationOptions,
          },
          timeoutMs * patience() + timeoutMarginMs,
        ),
        connected.script,
        connected.info,
        timeoutMs,
      )
      await rpc.sendNotification('initialized', {})
    } catch (error) {
      connection.dispose()
      throw error
    }
    return connection
  }

  /**
   * Finds the host or starts one, and does the handshake. A host that ends at that moment (it was idle for half a
   * minute) is no error: the next host is tried.
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
    return this.#connected.info
  }

  /** True when it was started for this connection. */
  get started(): boolean {
    return this.#connected.started
  }

  /** Where the host keeps its files. */
  get endpoint(): ConnectedHost['endpoint'] {
    return this.#connected.endpoint
  }

  /** @throws {@link HostRequestError}, {@link HostTimeoutError}, {@link HostGoneError} */
  async request<M extends RequestMethod>(
    method: M,
    params: ParamsOf<M>,
    { timeoutMs = defaultRequestTimeoutMs * patience() } = {},
  ): Promise<ResultOf<M>> {
    const answer = this.#send(method, params, timeoutMs)
    const heard = timeoutMs > hungAfterMs + pingLimitMs ? this.#untilDeaf(answer) : undefined
    return (await (heard ?? answer)) as ResultOf<M>
  }

  /**
   * An answer may take long (a shutdown has its grace periods), but a healthy host answers a ping meanwhile. Rejects
   * with {@link HostHungError} as soon as a ping is not answered, instead of at the end of the long time limit.
   */
  async #untilDeaf<T>(answer: Promise<T>): Promise<T> {
    for (;;) {
      const timer = new AbortController()
      const pause = sleep(hungAfterMs, 'pause', { signal: timer.signal }).catch(() => 'pause')
      let first: T | string
      try {
        first = await Promise.race([answer, pause])
      } finally {
        timer.abort()
      }
      if (first !== 'pause') return await answer
      // An error response is an answer too: an older host may not know this request.
      const ping = this.#rpc.sendRequest('unhang/ping', {}).catch(() => null)
      const lateAnswer = await Promise.race([
        answer.then(() => true),
        unlessHung(ping, this.#connected.script, this.#connected.info, pingLimitMs),
      ])
      if (lateAnswer === true) return await answer
    }
  }

  /** Calls back for every such notification until the returned function is called. */
  on<N extends keyof Notifications>(method: N, listener: (params: Notifications[N]) => void): () => void {
    const subscription = this.#rpc.onNotification(method, (params: Notifications[N]) => {
      listener(params)
    })
    return () => {
      subscription.dispose()
    }
  }

  /** Called once when the host ends the connection or goes away (not after {@link close}). */
  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#rpc.onClose(listener)
  }

  /** Ends the connection by LSP's `shutdown` and `exit`. The host and its pools go on. */
  async close(): Promise<void> {
    if (!this.#closed) {
      try {
        await this.#send('shutdown', undefined, 1000)
        await this.#rpc.sendNotification('exit')
      } catch {
        // A host that does not answer is left without them.
      }
    }
    this.dispose()
  }

  /** Drops the connection at once. */
  dispose(): void {
    this.#closed = true
    this.#rpc.dispose()
    this.#connected.socket.destroy()
  }

  async #send(method: string, params: unknown, timeoutMs: number): Promise<unknown> {
    const { pid } = this.#connected.info
    if (this.#closed) throw new HostGoneError(method, pid)
    const { promise: late, reject } = deferredRejection()
    const timer = setTimeout(() => {
      reject(new HostTimeoutError(method, timeoutMs, pid))
    }, timeoutMs)
    const closing = this.#rpc.onClose(() => {
      setTimeout(() => {
        reject(new HostGoneError(method, pid))
      }, lastAnswersMs)
    })
    try {
      return await Promise.race([
        params === undefined ? this.#rpc.sendRequest(method) : this.#rpc.sendRequest(method, params),
        late,
      ])
    } catch (error) {
      if (
        error instanceof Error &&
        typeof (error as { code?: unknown }).code === 'number' &&
        !(error instanceof HostTimeoutError)
      ) {
        const { code, data, message } = error as Error & { code: number; data?: unknown }
        if (
          connectionLostCodes.has(code) ||
          (code === writeErrorCode && /EPIPE|ECONNRESET|destroyed|after end/.test(message))
        )
          throw new HostGoneError(method, pid)
        throw new HostRequestError(method, message, code, data)
      }
      throw error
    } finally {
      clearTimeout(timer)
      closing.dispose()
    }
  }
}

/** Time limit of a ping: longer than that of a handshake, because the host may be in a long synchronous computation. */
const pingLimitMs = 3000

/** Added to the limit of the handshake, so that unlessHung, whose error explains more, rejects first. */
const timeoutMarginMs = 1000

/**
 * After the connection has closed, answers that arrived before still pass through the JSON-RPC library, one per turn of
 * the event loop.
 */
const lastAnswersMs = 100

function deferredRejection(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  return { promise, reject }
}

/** Error codes of vscode-jsonrpc for a request that was in flight, or not yet written, when the connection ended. */
const connectionLostCodes = new Set([-32098, -32097, -32096])
/**
 * Error code of vscode-jsonrpc for a failed write: the connection has ended, or the message cannot be written as JSON.
 */
const writeErrorCode = -32099
