import { EventEmitter, Uri, commands, window, workspace, type TextDocumentContentProvider } from 'vscode'
import type { FolderShutdown, Sessions } from '../client/sessions'
import { DisposableStore, type Disposable } from '../lifecycle'
import { poolReport, type KeptShutdown } from './reportMarkdown'
import { poolIdOfSubject } from './subjects'

/** Readonly documents of this scheme are reports; the path ends in `.md`, so that they are Markdown. */
export const reportScheme = 'unhang-report'

/** Shutdowns kept for reports; the host's log and kill ledger have all of them. */
const mostKept = 50
const mostFailures = 1_000

/** Reports of pools and shutdowns as readonly Markdown documents. */
export class ReportDocuments implements TextDocumentContentProvider, Disposable {
  readonly #sessions: Sessions
  readonly #changed = new EventEmitter<Uri>()
  readonly #owned = new DisposableStore()
  readonly #shutdowns: KeptShutdown[] = []

  readonly onDidChange = this.#changed.event

  constructor(sessions: Sessions) {
    this.#sessions = sessions
    this.#owned.add(this.#changed)
    this.#owned.add(workspace.registerTextDocumentContentProvider(reportScheme, this))
    this.#owned.add(
      sessions.onDidShutdown((shutdown) => {
        this.#keep(shutdown)
      }),
    )
    this.#owned.add(
      sessions.catalog.onDidChange(({ membership, pools }) => {
        this.#rewrite((poolId) => membership || pools.has(poolId))
      }),
    )
  }

  /** Shutdowns of this session, newest last. */
  get shutdowns(): readonly KeptShutdown[] {
    return this.#shutdowns
  }

  /** Opens the report of a pool, or of the pool that a shutdown was about. */
  async show(subjectId: string, name: string): Promise<void> {
    const poolId = poolIdOfSubject(subjectId)
    const uri = reportUri(poolId, this.#sessions.catalog.pool(poolId)?.header.name ?? name)
    // A document that is still open has the text of the last time.
    this.#changed.fire(uri)
    const document = await workspace.openTextDocument(uri)
    try {
      await commands.executeCommand('markdown.showPreview', uri)
    } catch {
      // VS Code's own Markdown extension is switched off; the text reads well enough as it is.
      await window.showTextDocument(document, { preview: true })
    }
  }

  async provideTextDocumentContent(uri: Uri): Promise<string> {
    const poolId = uri.query
    const pool = this.#sessions.catalog.pool(poolId)
    const failures = await this.#sessions
      .ofPool(poolId)
      ?.requestIfConnected('unhang/failures', { poolId, limit: mostFailures })
    const names = new Set([
      poolId,
      ...(pool === undefined ? [] : [...pool.workers.values()].map((worker) => String(worker.pid))),
    ])
    const shutdowns = this.#shutdowns.filter(
      ({ report }) =>
        poolIdOfSubject(report.subject.id) === poolId ||
        names.has(report.subject.id) ||
        report.workers.some((worker) => names.has(String(worker.pid))),
    )
    return poolReport({ name: pool?.header.name ?? nameOf(uri), pool, failures, shutdowns }, Date.now())
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #keep({ done: { askedBy, reason, report } }: FolderShutdown): void {
    this.#shutdowns.push({ askedBy, reason, report })
    if (this.#shutdowns.length > mostKept) this.#shutdowns.shift()
    this.#rewrite(() => true)
  }

  /** Open reports follow what they are about. */
  #rewrite(isAbout: (poolId: string) => boolean): void {
    for (const { uri, isClosed } of workspace.textDocuments) {
      if (uri.scheme === reportScheme && !isClosed && isAbout(uri.query)) this.#changed.fire(uri)
    }
  }
}

function reportUri(poolId: string, name: string): Uri {
  return Uri.from({ scheme: reportScheme, path: `/${name.replaceAll(/[/\\]/g, '-')}.md`, query: poolId })
}

function nameOf(uri: Uri): string {
  return uri.path.slice(1, -'.md'.length)
}
