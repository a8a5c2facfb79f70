import { setImmediate as nextTurn } from 'node:timers/promises'
import { workspace, type LogOutputChannel, type TextDocument } from 'vscode'
import { DisposableStore, type Disposable } from '../lifecycle'
import { hostTraces } from '../../discovery'
import type { FolderSession } from './folderSession'
import type { Sessions } from './sessions'

const poolTaskText = /"type"\s*:\s*"pool"/

/**
 * Connects without being asked, where it costs nothing or is worth it: to a host that runs already (pools that went on
 * over a reload, or were started in a terminal), and to a new one when a tasks.json with pool tasks is open, whose code
 * lenses and diagnostics come from the host.
 */
export class HostFinder implements Disposable {
  readonly #sessions: Sessions
  readonly #log: LogOutputChannel
  readonly #owned = new DisposableStore()

  constructor(sessions: Sessions, log: LogOutputChannel) {
    this.#sessions = sessions
    this.#log = log
  }

  /** Begins to look, once the caller has returned. */
  start(): void {
    this.#owned.add(
      workspace.onDidOpenTextDocument((document) => {
        this.#onDocument(document)
      }),
    )
    this.#owned.add(
      workspace.onDidSaveTextDocument((document) => {
        this.#onDocument(document)
      }),
    )
    this.#owned.add(
      workspace.onDidGrantWorkspaceTrust(() => {
        this.look()
      }),
    )
    this.look()
  }

  /** Looks for hosts that run already. */
  look(): void {
    void this.#look()
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #look(): Promise<void> {
    await nextTurn()
    if (this.#owned.disposed || !workspace.isTrusted) return
    for (const session of this.#sessions.all) {
      if (session.state !== 'none') continue
      const { announced, ledger } = await hostTraces(session.folder.uri.fsPath)
      if (announced) await this.#connect(session, 'existing')
      // It died and may have left workers behind: only a new host can tell, and show them.
      if (ledger && this.#needsConnection(session)) await this.#connect(session, 'start')
    }
    for (const document of workspace.textDocuments) this.#onDocument(document)
  }

  #needsConnection(session: FolderSession): boolean {
    return !this.#owned.disposed && session.state === 'none'
  }

  #onDocument(document: TextDocument): void {
    if (
      !workspace.isTrusted ||
      !document.uri.path.endsWith('/.vscode/tasks.json') ||
      !poolTaskText.test(document.getText())
    )
      return
    const folder = workspace.getWorkspaceFolder(document.uri)
    const session = folder && this.#sessions.of(folder.uri)
    if (session?.state === 'none') void this.#connect(session, 'start')
  }

  async #connect(session: FolderSession, mode: 'existing' | 'start'): Promise<void> {
    try {
      await session.connect(mode)
    } catch (error) {
      // Nobody asked for it, so nobody is interrupted: the view says that the host failed, and how to try again.
      this.#log.error(
        `Connecting to the host of ${session.folder.name} failed: ` +
          (error instanceof Error ? error.message : String(error)),
      )
    }
  }
}
