import {
  DocumentLink,
  EventEmitter,
  Range,
  Uri,
  languages,
  window,
  workspace,
  type DocumentLinkProvider,
  type TextDocument,
  type TextDocumentContentProvider,
} from 'vscode'
import * as l10n from '@vscode/l10n'
import type { FolderSession } from '../client/folderSession'
import type { Sessions } from '../client/sessions'
import { DisposableStore, type Disposable } from '../lifecycle'
import { stackText, type StackText } from './stackText'

/** Readonly documents of this scheme are the stacks of a process at one moment. */
export const stackScheme = 'unhang-stack'

/** An interpreter that holds its lock in C code is asked, then signalled, then py-spy is tried. */
const stacksTimeoutMs = 30_000

/** Whose stacks a document has. */
interface Subject {
  readonly session: FolderSession
  readonly pid: number
  readonly name: string
}

/** The stacks of processes as documents, with a link for each frame. */
export class StackDocuments implements TextDocumentContentProvider, DocumentLinkProvider, Disposable {
  readonly #sessions: Sessions
  readonly #changed = new EventEmitter<Uri>()
  readonly #owned = new DisposableStore()
  readonly #taken = new Map<string, StackText>()

  readonly onDidChange = this.#changed.event

  constructor(sessions: Sessions) {
    this.#sessions = sessions
    this.#owned.add(this.#changed)
    this.#owned.add(workspace.registerTextDocumentContentProvider(stackScheme, this))
    this.#owned.add(languages.registerDocumentLinkProvider({ scheme: stackScheme }, this))
    this.#owned.add(
      workspace.onDidCloseTextDocument(({ uri }) => {
        this.#taken.delete(uri.toString())
      }),
    )
  }

  /** Takes the stacks of a process and opens them. */
  async show(session: FolderSession, pid: number, name: string): Promise<void> {
    const uri = Uri.from({
      scheme: stackScheme,
      path: `/${l10n.t('{0} (pid {1})', name.replaceAll(/[/\\]/g, '-'), pid)}.txt`,
      query: JSON.stringify({ folder: session.folder.uri.toString(), pid, name }),
    })
    await this.#take({ session, pid, name }, uri)
    this.#changed.fire(uri)
    await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true })
  }

  /** Takes them again, for a document that is open. */
  async refresh(uri: Uri): Promise<void> {
    const subject = this.#subjectOf(uri)
    if (subject === undefined) return
    await this.#take(subject, uri)
    this.#changed.fire(uri)
  }

  async provideTextDocumentContent(uri: Uri): Promise<string> {
    const key = uri.toString()
    // One that was open when the window was closed is taken anew.
    if (!this.#taken.has(key)) await this.refresh(uri)
    return this.#taken.get(key)?.text ?? l10n.t('The process is no longer there.')
  }

  provideDocumentLinks({ uri }: TextDocument): DocumentLink[] {
    return (this.#taken.get(uri.toString())?.links ?? []).map(({ line, start, end, file, fileLine }) => {
      const link = new DocumentLink(
        new Range(line, start, line, end),
        Uri.file(file).with({ fragment: `L${fileLine}` }),
      )
      link.tooltip = l10n.t('Open line {0}', fileLine)
      return link
    })
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #take({ session, pid, name }: Subject, uri: Uri): Promise<void> {
    const stacks = await session.request('unhang/stacks', { pid }, { timeoutMs: stacksTimeoutMs })
    this.#taken.set(uri.toString(), stackText(stacks, name, new Date().toLocaleTimeString()))
  }

  #subjectOf(uri: Uri): Subject | undefined {
    let query: { folder?: unknown; pid?: unknown; name?: unknown } = {}
    try {
      query = JSON.parse(uri.query) as typeof query
    } catch {
      // An address that somebody else made up.
    }
    const session = typeof query.folder === 'string' ? this.#sessions.of(Uri.parse(query.folder)) : undefined
    return session === undefined || typeof query.pid !== 'number'
      ? undefined
      : { session, pid: query.pid, name: String(query.name) }
  }
}
