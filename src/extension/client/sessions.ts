import { workspace, type ExtensionContext, type LogOutputChannel, type Uri, type WorkspaceFolder } from 'vscode'
import type { Notifications } from '../../protocol'
import { hostTraces } from '../../discovery'
import { readSetting } from '../contributions/settings'
import { DisposableStore, Emitter, type Disposable } from '../lifecycle'
import { PoolCatalog } from '../model/poolCatalog'
import { FolderSession } from './folderSession'
import type { LanguageConnectionOptions } from './languageConnection'
import type { SupervisorState } from './supervisor'

/** A shutdown, with the folder whose host did it. */
export interface FolderShutdown {
  readonly session: FolderSession
  readonly done: Notifications['unhang/shutdownDone']
}

/** One session for each workspace folder, and what they have in common. */
export class Sessions implements Disposable {
  readonly catalog: PoolCatalog
  readonly #context: ExtensionContext
  readonly #log: LogOutputChannel
  readonly #sessions = new Map<string, { session: FolderSession; owned: DisposableStore }>()
  readonly #owned = new DisposableStore()
  readonly #stateChanged = new Emitter<SupervisorState>()
  readonly #shutdown = new Emitter<FolderShutdown>()
  readonly #gaveUp = new Emitter<{ session: FolderSession; error: Error }>()
  readonly #added = new Emitter<FolderSession>()
  readonly #hungChanged = new Emitter<FolderSession>()

  readonly onDidChangeState = this.#stateChanged.event
  readonly onDidShutdown = this.#shutdown.event
  readonly onDidGiveUp = this.#gaveUp.event
  readonly onDidAddSession = this.#added.event
  /** The host of a folder does not answer any more, or does again. */
  readonly onDidChangeHung = this.#hungChanged.event

  constructor(context: ExtensionContext, log: LogOutputChannel) {
    this.#context = context
    this.#log = log
    this.catalog = this.#owned.add(new PoolCatalog())
    for (const emitter of [this.#stateChanged, this.#shutdown, this.#gaveUp, this.#added, this.#hungChanged])
      this.#owned.add(emitter)
    for (const folder of workspace.workspaceFolders ?? []) this.#add(folder)
    this.#owned.add(
      workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        for (const folder of removed) void this.#remove(folder)
        for (const folder of added) this.#add(folder)
      }),
    )
  }

  get all(): FolderSession[] {
    return [...this.#sessions.values()].map(({ session }) => session)
  }

  /** The session of a folder; without one, or for something that belongs to no folder, the first. */
  of(folder?: Uri): FolderSession | undefined {
    const key = folder?.toString()
    return (key === undefined ? undefined : this.#sessions.get(key)?.session) ?? this.all[0]
  }

  /** The session that has a pool. */
  ofPool(poolId: string): FolderSession | undefined {
    return this.all.find((session) => session.store.pool(poolId) !== undefined)
  }

  /** The state that an empty view explains: the worst that needs the person first. */
  get state(): SupervisorState {
    const states = this.all.map((session) => session.state)
    for (const state of ['failed', 'connecting', 'connected'] as const) {
      if (states.includes(state)) return state
    }
    return 'none'
  }

  /** Leaves every host. */
  async close(): Promise<void> {
    await Promise.allSettled(
      [...this.#sessions.values()].map(async ({ session, owned }) => {
        await session.close()
        owned.dispose()
      }),
    )
    this.#sessions.clear()
    this.dispose()
  }

  dispose(): void {
    for (const { session, owned } of this.#sessions.values()) {
      session.dispose()
      owned.dispose()
    }
    this.#sessions.clear()
    this.#owned.dispose()
  }

  #add(folder: WorkspaceFolder): void {
    const key = folder.uri.toString()
    // The host is a local process with a local folder; virtual folders have neither.
    if (folder.uri.scheme !== 'file' || this.#sessions.has(key)) return
    const owned = new DisposableStore()
    const client = (): LanguageConnectionOptions => {
      const nodePath = readSetting('nodePath', folder.uri)
      return {
        folder,
        log: this.#log,
        env: process.env,
        hostScript: this.#context.asAbsolutePath('dist/host.js'),
        nodePath: nodePath === '' ? undefined : nodePath,
      }
    }
    const session = new FolderSession({
      folder,
      log: this.#log,
      isTrusted: () => workspace.isTrusted,
      leftLedger: async () => (await hostTraces(folder.uri.fsPath)).ledger,
      open: async (mode) => {
        const { openLanguageConnection } = await import('./languageConnection')
        return openLanguageConnection(client(), mode)
      },
      hostProcess: {
        look: async () => (await (await import('./languageConnection')).hostProcess(client())).look(),
        end: async (host) => (await (await import('./languageConnection')).hostProcess(client())).end(host),
      },
    })
    this.#sessions.set(key, { session, owned })
    owned.add(session)
    owned.add(this.catalog.addStore(session.store, folder.name))
    owned.add(
      session.onDidChangeState(() => {
        this.#stateChanged.fire(this.state)
      }),
    )
    owned.add(
      session.onDidShutdown((done) => {
        this.#shutdown.fire({ session, done })
      }),
    )
    owned.add(
      session.onDidChangeHung(() => {
        this.#hungChanged.fire(session)
      }),
    )
    owned.add(
      session.onDidGiveUp((error) => {
        this.#gaveUp.fire({ session, error })
      }),
    )
    this.#added.fire(session)
  }

  async #remove(folder: WorkspaceFolder): Promise<void> {
    const key = folder.uri.toString()
    const entry = this.#sessions.get(key)
    this.#sessions.delete(key)
    await entry?.session.close()
    entry?.owned.dispose()
    this.#stateChanged.fire(this.state)
  }
}
