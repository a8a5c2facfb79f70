import type { Socket } from 'node:net'
import { createConnection, type _Connection } from 'vscode-languageserver'
import {
  createProtocolConnection,
  ErrorCodes,
  LSPErrorCodes,
  Message,
  ResponseError,
  TextDocumentSyncKind,
  type InitializeError,
  type InitializeParams,
  type InitializeResult,
} from 'vscode-languageserver/node'
import type { InitializationOptions, Notifications, ParamsOf, RequestMethod } from '../../protocol'
import type { Log } from '../terms/log'
import { BoundedReader, largestFirstMessageBytes, largestMessageBytes, type RefusedMessageError } from './boundedReader'
import { BoundedWriter, pauseBacklogBytes } from './boundedWriter'
import { OutputFollower, type OutputFeed } from '../output/outputFeed'
import { answerRequest } from './answerRequest'
import { checkHandshake, type HandshakeTerms } from './handshake'
import type { Asker, RequestHandlers } from './requestHandlers'

/** An LSP connection of the library, without proposed features. */
export type LanguageConnection = _Connection

/** What a connection needs of the host. */
export interface ClientHost extends HandshakeTerms {
  readonly log: Log
  readonly handlers: RequestHandlers
  /** Registers code lenses and diagnostics on the connection. */
  serveLanguage(connection: LanguageConnection): LanguageService
  /** Excludes a process from all signals until the result is disposed. */
  protect(pid: number): Disposable
  /** The handshake is done. */
  ready(client: Client): void
  /** The connection is gone; called once for every client, ready or not. */
  gone(client: Client): void
}

/** The part of a connection that draws tasks.json. */
export interface LanguageService {
  initialize(params: InitializeParams): void
  /** Asks the client to fetch its code lenses again, if a change of pools changes them. */
  poolsChanged(): void
  dispose(): void
}

/** Limit of the handshake: a client of Unhang sends `initialize` at once. */
export const handshakeTimeoutMs = 10_000
/** Limit of the handshake while other clients wait for a place. */
const hurriedHandshakeMs = 1000
/** A connection that has sent nothing for this long is ended to make room for the next. */
const silentAfterMs = 250
/** A well-behaved client has a handful; further requests wait in the socket. */
const mostRequestsInFlight = 256
/** A change notice waits while this much is unread: the client fetches the newest state in any case. */
const noticeBacklogBytes = 64 * 1024

/**
 * One client: an editor window, a terminal, a test. Neither its messages nor its unread output affect other clients.
 */
export class Client implements Asker {
  readonly #socket: Socket
  readonly #host: ClientHost

  #state: 'new' | 'ready' | 'ended' = 'new'
  readonly #reader: BoundedReader
  readonly #writer: BoundedWriter
  readonly #connection: LanguageConnection
  readonly #language: LanguageService
  #handshake: NodeJS.Timeout
  readonly #followed = new Map<string, { follower: OutputFollower; stop: () => void }>()
  #protection: Disposable | undefined
  #inFlight = 0
  #hurried = false
  readonly #openedAt = performance.now()
  #dueRev: number | undefined
  /** Kind of the client, as reported in the handshake. */
  kind: InitializationOptions['client'] | 'unknown' = 'unknown'
  /** Its own process, as reported in the handshake. */
  processId: number | undefined
  /** The pid namespace that gives its pids their meaning, as reported in the handshake. */
  pidNamespace: string | undefined
  /** The measurements that it wants. */
  wanted: ParamsOf<'unhang/watch'> | undefined

  constructor(socket: Socket, host: ClientHost) {
    this.#socket = socket
    this.#host = host

    this.#writer = new BoundedWriter(socket, () => {
      this.#inFlight -= 1
      this.#reader.resume()
    })
    this.#reader = new BoundedReader(
      socket,
      () => this.#writer.backlog < pauseBacklogBytes && this.#inFlight < mostRequestsInFlight,
      () => (this.#state === 'ready' ? largestMessageBytes : largestFirstMessageBytes),
      (error) => {
        this.#refuse(error)
      },
    )
    this.#reader.admit = (message) => this.#admit(message)
    socket.on('drain', () => {
      this.#drained()
    })
    this.#connection = createConnection(
      (logger) => createProtocolConnection(this.#reader, this.#writer, logger),
      // `exit` ends this connection, not the host (which is what the /node variant of createConnection would do).
      {
        shutdownReceived: false,
        initialize: () => undefined,
        exit: () => {
          this.end()
        },
      },
    )
    this.#connection.onInitialize((params) => this.#initialize(params))
    this.#connection.onShutdown(() => undefined)
    this.#language = host.serveLanguage(this.#connection)
    for (const method of Object.keys(host.handlers) as RequestMethod[])
      this.#connection.onRequest(method, (...given: unknown[]) => answerRequest(method, given, this, host))
    this.#handshake = this.#handshakeWithin(handshakeTimeoutMs)
    socket.once('close', () => {
      this.#closed()
    })
    socket.on('error', (error) => {
      host.log.debug('A connection broke.', { client: this.kind, error: error.message })
    })
    this.#connection.listen()
  }

  /** Sends a new revision, at once or when the client has read its backlog. */
  notifyChanged(rev: number): void {
    if (this.#state !== 'ready') return
    if (this.#writer.backlog > noticeBacklogBytes) {
      this.#dueRev = rev
      return
    }
    this.#dueRev = undefined
    this.send('unhang/changed', { rev })
  }

  poolsChanged(): void {
    if (this.#state === 'ready') this.#language.poolsChanged()
  }

  send<N extends keyof Notifications>(method: N, params: Notifications[N]): void {
    if (this.#state === 'ready') void this.#connection.sendNotification(method, params)
  }

  /** Starts or goes on following a pool's output. */
  follow(poolId: string, feed: OutputFeed): void {
    if (this.#followed.has(poolId)) return
    const follower = new OutputFollower(poolId, {
      backlog: () => this.#writer.backlog,
      send: (params) => {
        this.send('unhang/output', params)
      },
    })
    this.#followed.set(poolId, {
      follower,
      stop: feed.follow((chunk) => {
        follower.push(chunk)
      }),
    })
    // The buffered output is sent at once: the pool may have ended already, and its follower may be about to
    // disconnect.
    follower.flush()
  }

  unfollow(poolId: string): void {
    const followed = this.#followed.get(poolId)
    this.#followed.delete(poolId)
    followed?.stop()
    followed?.follower.dispose()
  }

  /** Sends a pool's buffered output now; called at the end of the pool, so that the output arrives before that. */
  flushOutput(poolId: string): void {
    this.#followed.get(poolId)?.follower.flush()
  }

  /** The connection has sent nothing since it was opened, some time ago. */
  get isSilent(): boolean {
    return this.#state === 'new' && this.#socket.bytesRead === 0 && performance.now() - this.#openedAt >= silentAfterMs
  }

  /** Shortens the limit of the handshake while other clients wait for a place. */
  hurry(): void {
    if (this.#state !== 'new' || this.#hurried || this.#socket.bytesRead > 0) return
    this.#hurried = true
    clearTimeout(this.#handshake)
    this.#handshake = this.#handshakeWithin(hurriedHandshakeMs)
  }

  /** Ends the connection after the output that is already written. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#socket.end()
    // A client that leaves its side open does not keep ours.
    setTimeout(() => {
      this.#socket.destroy()
    }, 1000).unref()
  }

  /** Ends the connection at once. */
  drop(): void {
    this.#state = 'ended'
    this.#socket.destroy()
  }

  #handshakeWithin(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#host.log.warn(`A client said nothing that makes sense within ${ms} ms; its connection is ended.`)
      this.drop()
    }, ms)
  }

  #initialize(params: InitializeParams): InitializeResult | ResponseError<InitializeError> {
    if (this.#state !== 'new')
      return new ResponseError(ErrorCodes.InvalidRequest, 'This connection is initialized already.', { retry: false })
    const options = checkHandshake(params.initializationOptions, this.#host)
    if (typeof options === 'string') return this.#turnAway(options)
    this.pidNamespace = options.pidNamespace
    clearTimeout(this.#handshake)
    this.#state = 'ready'
    this.kind = options.client
    this.processId = params.processId ?? undefined
    // An editor that was started from a worker carries the worker's mark, and would be ended with the worker. For a
    // command that runs in a worker that is right: it is part of the worker's task.
    if (this.kind === 'vscode' && typeof params.processId === 'number')
      this.#protection = this.#host.protect(params.processId)
    this.#language.initialize(params)
    this.#host.ready(this)
    return {
      serverInfo: { name: 'unhang', version: this.#host.version },
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
        codeLensProvider: { resolveProvider: false },
        diagnosticProvider: { identifier: 'unhang', interFileDependencies: false, workspaceDiagnostics: false },
      },
    }
  }

  #turnAway(why: string): ResponseError<InitializeError> {
    this.#host.log.warn(`A client was turned away. ${why}`)
    this.#state = 'ended'
    // Once the answer is on its way.
    setTimeout(() => {
      this.#socket.end()
    }, 0)
    setTimeout(() => {
      this.#socket.destroy()
    }, 1000).unref()
    return new ResponseError(LSPErrorCodes.RequestFailed, why, { retry: false })
  }

  /** Before the handshake only `initialize` is admitted. */
  #admit(message: Message): boolean {
    if (this.#state === 'ended') return false
    const isRequest = Message.isRequest(message)
    if (this.#state === 'new' && !(isRequest && message.method === 'initialize')) {
      this.#host.log.warn('A client spoke before the handshake; its connection is ended.')
      this.drop()
      return false
    }
    // The library reads the id without checking that there is one.
    if (Message.isNotification(message) && message.method === '$/cancelRequest' && !hasId(message.params)) return false
    if (isRequest) this.#inFlight += 1
    return true
  }

  #refuse(error: RefusedMessageError): void {
    this.#host.log.warn(`A client sent ${error.message}; its connection is ended.`, { client: this.kind })
    this.drop()
  }

  #drained(): void {
    this.#reader.resume()
    if (this.#dueRev !== undefined) this.notifyChanged(this.#dueRev)
    for (const { follower } of this.#followed.values()) follower.flush()
  }

  #closed(): void {
    this.#state = 'ended'
    clearTimeout(this.#handshake)
    for (const poolId of [...this.#followed.keys()]) this.unfollow(poolId)
    this.#protection?.[Symbol.dispose]()
    this.#language.dispose()
    this.#connection.dispose()
    this.#host.gone(this)
  }
}

function hasId(params: unknown): boolean {
  return (
    typeof params === 'object' &&
    params !== null &&
    'id' in params &&
    (typeof params.id === 'string' || typeof params.id === 'number')
  )
}
