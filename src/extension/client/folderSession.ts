import type { LogOutputChannel, WorkspaceFolder } from 'vscode'
import type { HostEnd } from '../../discovery'
import type { Notifications, RequestMethod, ResultOf, ParamsOf } from '../../protocol'
import { DisposableStore, Emitter, type Disposable } from '../lifecycle'
import { PoolStore } from '../model/poolStore'
import {
  HostUnavailableError,
  isHostHang,
  isHostTimeout,
  UntrustedWorkspaceError,
  type ConnectMode,
  type HostConnection,
  type HostProcess,
  type HungHost,
  type OpenConnection,
  type RequestOptions,
} from './connection'
import { HostWatchdog } from './hostWatchdog'
import { SnapshotFeed } from './snapshotFeed'
import { ConnectionSupervisor, type SupervisorState } from './supervisor'

/** What the host is asked to measure, while somebody looks. */
export type Watch = ParamsOf<'unhang/watch'>

/** Answers that need no work on the host's side. */
export const quickRequestTimeoutMs = 10_000

/** A sign of life takes milliseconds. */
const pingTimeoutMs = 2_000

export interface FolderSessionOptions {
  readonly folder: WorkspaceFolder
  readonly open: OpenConnection
  /** Asked before every connection: nothing runs in an untrusted workspace. */
  readonly isTrusted: () => boolean
  /** Asked after a loss: whether the host left its ledger, which one that ends as it should takes away. */
  readonly leftLedger: () => Promise<boolean>
  /** The host's process, seen from outside. */
  readonly hostProcess: HostProcess
  readonly log: LogOutputChannel
}

/** One workspace folder: its host's connection and its pools. Requests connect, and start the host, by themselves. */
export class FolderSession implements Disposable {
  readonly folder: WorkspaceFolder
  readonly store = new PoolStore()
  readonly #options: FolderSessionOptions
  readonly #owned = new DisposableStore()
  readonly #supervisor: ConnectionSupervisor
  readonly #shutdownDone = new Emitter<Notifications['unhang/shutdownDone']>()
  readonly #output = new Emitter<Notifications['unhang/output']>()
  readonly #lost = new Emitter<void>()
  readonly #hungChanged = new Emitter<void>()
  #connectionOwned: DisposableStore | undefined
  #feed: SnapshotFeed | undefined
  #watchdog: HostWatchdog | undefined
  #hung: HungHost | undefined
  #watch: Watch | undefined
  #lastPoolsLive = false

  /** Something was shut down, by whomever. */
  readonly onDidShutdown = this.#shutdownDone.event
  readonly onOutput = this.#output.event
  /** The host went away; its pools are no longer known. */
  readonly onDidLoseHost = this.#lost.event
  /** The host does not answer any more, or does again; see {@link FolderSession.hung}. */
  readonly onDidChangeHung = this.#hungChanged.event

  constructor(options: FolderSessionOptions) {
    this.folder = options.folder
    this.#options = options
    this.#supervisor = this.#owned.add(
      new ConnectionSupervisor({
        open: (mode) => {
          if (!options.isTrusted()) return Promise.reject(new UntrustedWorkspaceError())
          return this.#open(mode)
        },
        // A host that died with live pools may have left workers behind; a new host finds and shows them.
        modeAfterLoss: async () => (this.#lastPoolsLive && (await options.leftLedger()) ? 'start' : 'existing'),
        log: (message) => {
          options.log.warn(message)
        },
      }),
    )
    this.#owned.add(this.store)
    this.#owned.add(this.#shutdownDone)
    this.#owned.add(this.#output)
    this.#owned.add(this.#lost)
    this.#owned.add(this.#hungChanged)
    this.#owned.add(
      this.#supervisor.onDidConnect((connection) => {
        this.#adopt(connection)
      }),
    )
    this.#owned.add(
      this.#supervisor.onDidChangeState((state) => {
        if (state !== 'connected') this.#release()
      }),
    )
  }

  get state(): SupervisorState {
    return this.#supervisor.state
  }

  /** The host's process while it does not answer. */
  get hung(): HungHost | undefined {
    return this.#hung
  }

  get onDidChangeState() {
    return this.#supervisor.onDidChangeState
  }

  get onDidGiveUp() {
    return this.#supervisor.onDidGiveUp
  }

  /** Connects to the host; in mode `existing` only when one runs. Resolves when its pools are in the store. */
  async connect(mode: ConnectMode): Promise<boolean> {
    const connection = await this.#supervisor.connect(mode)
    if (connection === undefined) return false
    await this.#feed?.refresh()
    return true
  }

  /** Asks the host, starting it when there is none. */
  async request<M extends RequestMethod>(
    method: M,
    params: ParamsOf<M>,
    options?: Partial<RequestOptions>,
  ): Promise<ResultOf<M>> {
    const connection = await this.#supervisor.connect('start')
    if (connection === undefined) throw new HostUnavailableError('it did not start.')
    return this.#ask(connection, method, params, options)
  }

  /** Asks the host only if we are connected; undefined otherwise. */
  async requestIfConnected<M extends RequestMethod>(
    method: M,
    params: ParamsOf<M>,
    options?: Partial<RequestOptions>,
  ): Promise<ResultOf<M> | undefined> {
    const { connection } = this.#supervisor
    return connection === undefined ? undefined : this.#ask(connection, method, params, options)
  }

  /** The host's process if it does not answer now; undefined when it does, and when there is none. */
  async findHung(): Promise<HungHost | undefined> {
    const { hostProcess } = this.#options
    const { connection } = this.#supervisor
    if (this.#hung !== undefined) return (await hostProcess.look()) ?? this.#hung
    try {
      if (connection === undefined) await this.connect('existing')
      else await connection.request('unhang/ping', {}, { timeoutMs: pingTimeoutMs })
      return undefined
    } catch (error) {
      if (isHostHang(error)) return error.host
      if (isHostTimeout(error)) return hostProcess.look()
      throw error
    }
  }

  /** Ends a host that does not answer, by SIGKILL; the caller has asked the person. */
  async endHung(host: HungHost): Promise<HostEnd> {
    this.#options.log.warn(
      `The host of ${this.folder.name} (pid ${host.pid}) is ended by SIGKILL, as it does not answer.`,
    )
    const outcome = await this.#options.hostProcess.end(host)
    this.#options.log.info(`Ending pid ${host.pid}: ${outcome}.`)
    return outcome
  }

  /** Leaves the host without a word, until somebody asks for it again. */
  disconnect(): void {
    this.#supervisor.disconnect()
    this.#setHung(undefined)
  }

  /** Brings the store up to date now, e.g. after a launch, so that the caller finds the pool in it. */
  async refresh(): Promise<void> {
    await this.#feed?.refresh()
  }

  /** Says what is looked at; repeated to every new connection. */
  setWatch(watch: Watch): void {
    const before = this.#watch
    this.#watch = watch
    if (before?.workers === watch.workers && before.machine === watch.machine && before.intervalMs === watch.intervalMs)
      return
    const connection = this.#supervisor.connection
    if (connection !== undefined) this.#sendWatch(connection, watch)
  }

  /** Leaves the host; its pools go on. */
  async close(): Promise<void> {
    await this.#supervisor.close()
    this.dispose()
  }

  dispose(): void {
    this.#connectionOwned?.dispose()
    this.#connectionOwned = undefined
    this.#owned.dispose()
  }

  async #open(mode: ConnectMode): Promise<HostConnection | undefined> {
    try {
      const connection = await this.#options.open(mode)
      this.#setHung(undefined)
      return connection
    } catch (error) {
      this.#setHung(isHostHang(error) ? error.host : undefined)
      throw error
    }
  }

  async #ask<M extends RequestMethod>(
    connection: HostConnection,
    method: M,
    params: ParamsOf<M>,
    options?: Partial<RequestOptions>,
  ): Promise<ResultOf<M>> {
    try {
      return await connection.request(method, params, { timeoutMs: quickRequestTimeoutMs, ...options })
    } catch (error) {
      if (isHostTimeout(error)) this.#watchdog?.check()
      throw error
    }
  }

  #setHung(hung: HungHost | undefined): void {
    const before = this.#hung
    if (before?.pid === hung?.pid && before?.state === hung?.state && before?.startTime === hung?.startTime) return
    this.#hung = hung
    if (!this.#owned.disposed) this.#hungChanged.fire()
  }

  #adopt(connection: HostConnection): void {
    this.#connectionOwned?.dispose()
    const owned = (this.#connectionOwned = new DisposableStore())
    const { hostProcess, log } = this.#options
    this.#watchdog = owned.add(
      new HostWatchdog({
        connection,
        look: () => hostProcess.look(),
        onHung: (host) => {
          this.#setHung(host)
        },
        onHeard: () => {
          log.info('The host answers again.')
          this.#setHung(undefined)
        },
        log: (message) => {
          log.warn(message)
        },
      }),
    )
    owned.add(
      connection.onNotification('unhang/shutdownDone', (done) => {
        this.#shutdownDone.fire(done)
      }),
    )
    owned.add(
      connection.onNotification('unhang/output', (output) => {
        this.#output.fire(output)
      }),
    )
    owned.add(
      this.store.onDidChange(() => {
        this.#lastPoolsLive = this.store.pools.some((pool) => pool.header.state !== 'ended')
      }),
    )
    this.#feed = owned.add(
      new SnapshotFeed(connection, this.store, (message) => {
        this.#options.log.warn(message)
      }),
    )
    void this.#feed.refresh()
    if (this.#watch !== undefined && (this.#watch.workers || this.#watch.machine))
      this.#sendWatch(connection, this.#watch)
  }

  #release(): void {
    if (this.#connectionOwned === undefined) return
    this.#connectionOwned.dispose()
    this.#connectionOwned = undefined
    this.#feed = undefined
    this.#watchdog = undefined
    this.#setHung(undefined)
    this.store.clear()
    this.#lost.fire()
  }

  #sendWatch(connection: HostConnection, watch: Watch): void {
    connection.request('unhang/watch', watch, { timeoutMs: quickRequestTimeoutMs }).catch((error: unknown) => {
      this.#options.log.warn(
        `The host did not take what to measure: ${error instanceof Error ? error.message : String(error)}`,
      )
    })
  }
}
