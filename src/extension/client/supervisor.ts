import { DisposableStore, Emitter, disposableTimeout, type Disposable } from '../lifecycle'
import { HostUnavailableError, type ConnectMode, type HostConnection, type OpenConnection } from './connection'

/** What the connection is doing: `none` = no host is needed now, `failed` = we gave up and said so. */
export type SupervisorState = 'none' | 'connecting' | 'connected' | 'failed'

/**
 * Waits between attempts after a connection was lost, milliseconds. The first is short because a host that was ended on
 * purpose is back at once; five in under ten seconds, then the person is told (as VS Code's ptyHost gives up after 5).
 */
export const reconnectDelaysMs: readonly number[] = [100, 500, 1_000, 2_500, 5_000]

export interface SupervisorOptions {
  readonly open: OpenConnection
  /** Asked after a loss: start a new host (to find what the old one left behind), or only look for one? */
  readonly modeAfterLoss: () => Promise<ConnectMode>
  readonly log: (message: string) => void
  readonly delaysMs?: readonly number[]
}

/**
 * Keeps one connection to the host. Opens it when asked, opens it again with growing waits when it is lost, and reports
 * a failure once, after the last attempt.
 */
export class ConnectionSupervisor implements Disposable {
  readonly #options: SupervisorOptions
  readonly #stateChanged = new Emitter<SupervisorState>()
  readonly #connected = new Emitter<HostConnection>()
  readonly #failed = new Emitter<Error>()
  readonly #owned = new DisposableStore()
  #connection: HostConnection | undefined
  #listening: Disposable | undefined
  #retry: Disposable | undefined
  /** The attempt of the series after a loss that is waiting for its turn. */
  #turn: { readonly attempt: number } | undefined
  #opening: { readonly mode: ConnectMode; readonly promise: Promise<HostConnection | undefined> } | undefined
  #state: SupervisorState = 'none'
  #closed = false

  readonly onDidChangeState = this.#stateChanged.event
  /** A connection is open; fires before {@link ConnectionSupervisor.connect} resolves. */
  readonly onDidConnect = this.#connected.event
  /** The connection was lost and every attempt to get it back failed. Not fired for a `connect` that rejects. */
  readonly onDidGiveUp = this.#failed.event

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#owned.add(this.#stateChanged)
    this.#owned.add(this.#connected)
    this.#owned.add(this.#failed)
  }

  get state(): SupervisorState {
    return this.#state
  }

  get connection(): HostConnection | undefined {
    return this.#connection
  }

  /** The open connection, or a new one. In mode `start` it never resolves to undefined, it rejects. */
  async connect(mode: ConnectMode): Promise<HostConnection | undefined> {
    if (this.#closed) throw new HostUnavailableError('the extension is shutting down.')
    if (this.#connection !== undefined) return this.#connection
    // One attempt at a time; an attempt that may start a host answers for one that may not, not the other way round.
    const running = this.#opening
    if (running !== undefined) {
      const connection = await running.promise
      if (connection !== undefined || mode === 'existing' || running.mode === 'start') return connection
      return this.connect(mode)
    }
    return this.#openInsteadOfRetry(mode)
  }

  /** Drops the connection, or the attempts to get it back, until somebody connects again. */
  disconnect(): void {
    this.#turn = undefined
    this.#retry?.dispose()
    this.#listening?.dispose()
    const connection = this.#connection
    this.#connection = undefined
    // A host that hangs does not take leave: nobody waits for that.
    connection?.close().catch(() => undefined)
    if (!this.#closed && this.#opening === undefined) this.#setState('none')
  }

  /** Closes the connection and tries no more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#retry?.dispose()
    this.#listening?.dispose()
    const connection = this.#connection ?? (await this.#opening?.promise.catch(() => undefined))
    this.#connection = undefined
    await connection?.close()
  }

  dispose(): void {
    this.#closed = true
    this.#retry?.dispose()
    this.#listening?.dispose()
    this.#owned.dispose()
  }

  #open(mode: ConnectMode): Promise<HostConnection | undefined> {
    this.#setState('connecting')
    const promise = this.#options
      .open(mode)
      .then((connection) => {
        this.#opening = undefined
        if (connection === undefined) {
          if (mode === 'start') throw new HostUnavailableError('it did not start.')
          this.#setState('none')
          return undefined
        }
        if (!this.#closed) this.#adopt(connection)
        return connection
      })
      .catch((error: unknown) => {
        this.#opening = undefined
        this.#setState('failed')
        throw error
      })
    this.#opening = { mode, promise }
    return promise
  }

  /** A request need not wait for the next attempt after a loss; if it fails, the series goes on where it was. */
  async #openInsteadOfRetry(mode: ConnectMode): Promise<HostConnection | undefined> {
    const turn = this.#turn
    this.#turn = undefined
    this.#retry?.dispose()
    const goOn = (): void => {
      if (turn === undefined || this.#closed) return
      this.#setState('connecting')
      this.#retryAfterLoss(turn.attempt)
    }
    try {
      const connection = await this.#open(mode)
      // One that only looked found nothing; whether a host is to be started is for the series to say.
      if (connection === undefined) goOn()
      return connection
    } catch (error) {
      goOn()
      throw error
    }
  }

  #adopt(connection: HostConnection): void {
    this.#connection = connection
    this.#listening = connection.onDidClose(() => {
      this.#listening?.dispose()
      this.#connection = undefined
      if (this.#closed) return
      this.#options.log('The connection to the host was lost.')
      this.#setState('connecting')
      this.#retryAfterLoss(0)
    })
    this.#connected.fire(connection)
    this.#setState('connected')
  }

  #retryAfterLoss(attempt: number): void {
    const delays = this.#options.delaysMs ?? reconnectDelaysMs
    const delayMs = delays[attempt]
    if (delayMs === undefined) return
    const turn = (this.#turn = { attempt })
    const openAgain = async (): Promise<void> => {
      const mode = await this.#options.modeAfterLoss()
      // A request that came first takes the turn, and goes on with the series should it fail.
      if (this.#turn !== turn || this.#closed || this.#connection !== undefined) return
      if (this.#opening !== undefined) {
        this.#retryAfterLoss(attempt)
        return
      }
      this.#turn = undefined
      await this.#open(mode)
    }
    this.#retry = disposableTimeout(() => {
      openAgain().catch((error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error))
        this.#options.log(`Attempt ${attempt + 1} of ${delays.length} to reach the host failed: ${failure.message}`)
        if (this.#closed) return
        if (attempt + 1 < delays.length) {
          this.#setState('connecting')
          this.#retryAfterLoss(attempt + 1)
        } else {
          this.#failed.fire(failure)
        }
      })
    }, delayMs)
  }

  #setState(state: SupervisorState): void {
    if (this.#state === state || this.#owned.disposed) return
    this.#state = state
    this.#stateChanged.fire(state)
  }
}
