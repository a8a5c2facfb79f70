import { realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodeLensRefreshRequest, TextDocuments, type InitializeParams } from 'vscode-languageserver/node'
import { TextDocument } from 'vscode-languageserver-textdocument'
import type { PoolHeader } from '../../protocol'
import type { LanguageConnection, LanguageService } from '../connection/client'
import { codeLensesOf, lensState } from './codeLenses'
import { diagnosticsOf } from './diagnostics'

/** Lenses move the text when they change their number, so they are drawn again once a second at most. */
export const lensIntervalMs = 1000

/**
 * Longest pause between two requests to refresh lenses that the client did not fetch: its tab may be in the background,
 * and fetches them when it is shown.
 */
const longestLensIntervalMs = 30_000

/** Code lenses and diagnostics of .vscode/tasks.json for one client. */
export class TasksLanguage implements LanguageService {
  readonly #connection: LanguageConnection
  readonly #root: string
  readonly #pools: () => PoolHeader[]

  readonly #documents = new TextDocuments(TextDocument)
  /** Running checks for the diagnostics of a document, by its URI. */
  readonly #looks = new Map<string, AbortController>()
  #refreshes = false
  /** Content of the lenses that the client fetched most recently. */
  #fetched: string | undefined
  #lastRefresh = -Infinity
  #pauseMs = lensIntervalMs
  #timer: NodeJS.Timeout | undefined

  constructor(connection: LanguageConnection, root: string, pools: () => PoolHeader[]) {
    this.#connection = connection
    this.#root = root
    this.#pools = pools

    this.#documents.listen(connection)
    this.#documents.onDidChangeContent(({ document }) => {
      this.#looks.get(document.uri)?.abort()
    })
    connection.onCodeLens(async ({ textDocument }, token) => {
      const document = this.#documents.get(textDocument.uri)
      const folder = document && (await workspaceFolderOf(document))
      // Launching by label reads this workspace's own file, so only that one gets lenses.
      if (!document || folder !== this.#root) return []
      const pools = this.#pools()
      // A cancelled request's answer is not shown.
      if (!token.isCancellationRequested) this.#lensesFetched(lensState(pools))
      return codeLensesOf(document, pools)
    })
    connection.languages.diagnostics.on(async ({ textDocument }, token) => {
      const document = this.#documents.get(textDocument.uri)
      const folder = document && (await workspaceFolderOf(document))
      if (!document || folder === undefined) return { kind: 'full', items: [] }
      // The answer on a text that was edited since is not needed; clients do not always cancel its request.
      this.#looks.get(document.uri)?.abort()
      const look = new AbortController()
      this.#looks.set(document.uri, look)
      const cancelled = token.onCancellationRequested(() => {
        look.abort()
      })
      try {
        return { kind: 'full', items: await diagnosticsOf(document, folder, process.env, { signal: look.signal }) }
      } finally {
        cancelled.dispose()
        if (this.#looks.get(document.uri) === look) this.#looks.delete(document.uri)
      }
    })
  }

  initialize({ capabilities }: InitializeParams): void {
    this.#refreshes = capabilities.workspace?.codeLens?.refreshSupport === true
  }

  /**
   * A refresh request is no proof that the client fetches: VS Code drops its pending fetch when the editor loses the
   * focus, and a fetch that is requested again before it is due waits anew, up to a minute on a slow machine
   * (codelensController.ts: `onDidBlurEditorText`, `CodeLensProvide`). So the request is repeated until the client has
   * fetched, each time after a longer pause.
   */
  poolsChanged(): void {
    if (!this.#refreshes || this.#timer || this.#documents.keys().length === 0) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        if (lensState(this.#pools()) === this.#fetched) return
        this.#pauseMs = Math.min(this.#pauseMs * 2, longestLensIntervalMs)
        this.#lastRefresh = performance.now()
        // A client that is gone, or refuses, needs no lenses.
        this.#connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined)
        this.poolsChanged()
      },
      Math.max(0, this.#lastRefresh + this.#pauseMs - performance.now()),
    )
  }

  dispose(): void {
    for (const look of this.#looks.values()) look.abort()
    clearTimeout(this.#timer)
  }

  #lensesFetched(state: string): void {
    this.#fetched = state
    this.#pauseMs = lensIntervalMs
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** The folder whose `.vscode/tasks.json` this is; undefined for any other document. */
async function workspaceFolderOf(document: TextDocument): Promise<string | undefined> {
  if (!document.uri.startsWith('file:')) return undefined
  const path = fileURLToPath(document.uri)
  const folder = dirname(path)
  if (basename(path) !== 'tasks.json' || basename(folder) !== '.vscode') return undefined
  return realpath(dirname(folder)).catch(() => undefined)
}
