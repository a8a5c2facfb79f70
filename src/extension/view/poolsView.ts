import {
  EventEmitter,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  window,
  type TreeDataProvider,
  type TreeView,
} from 'vscode'
import * as l10n from '@vscode/l10n'
import { DisposableStore, Emitter, disposableInterval, type Disposable } from '../lifecycle'
import type { PoolCatalog } from '../model/poolCatalog'
import { appearanceOf, type Appearance } from './appearance'
import { decorationUri } from './decorationUri'
import { DrawnRows } from './drawnRows'
import { nodeKey, type MoreNode, type PoolNode, type PoolsNode, type WorkerNode } from './nodes'
import { PoolsTree } from './poolsTree'
import { poolTooltip, taskTooltip, workerTooltip } from './tooltips'

/** The finest step of an elapsed time. */
const tickMs = 1_000

/** The view `unhang.pools`: draws the catalog, and only while it is visible. */
export class PoolsView implements Disposable, TreeDataProvider<PoolsNode> {
  readonly #catalog: PoolCatalog
  readonly #tree: PoolsTree
  readonly #drawn: DrawnRows
  readonly #view: TreeView<PoolsNode>
  readonly #redraw = new EventEmitter<PoolsNode | PoolsNode[] | undefined>()
  readonly #visibility = new Emitter<boolean>()
  readonly #owned = new DisposableStore()
  #ticking: Disposable | undefined

  readonly onDidChangeTreeData = this.#redraw.event
  readonly onDidChangeVisibility = this.#visibility.event

  constructor(catalog: PoolCatalog) {
    this.#catalog = catalog
    this.#tree = new PoolsTree(catalog)
    this.#drawn = new DrawnRows(catalog, this.#tree)
    this.#owned.add(this.#redraw)
    this.#owned.add(this.#visibility)
    this.#view = this.#owned.add(
      window.createTreeView('unhang.pools', { treeDataProvider: this, canSelectMany: true, showCollapseAll: true }),
    )
    this.#owned.add(
      this.#view.onDidChangeVisibility(({ visible }) => {
        this.#tickWhileNeeded()
        // What changed while nobody looked was not drawn.
        if (visible) this.#redraw.fire(undefined)
        this.#visibility.fire(visible)
      }),
    )
    this.#owned.add(
      catalog.onDidChange((change) => {
        this.#updateBadge()
        this.#tickWhileNeeded()
        if (!this.#view.visible && !change.membership) return
        const rows = this.#tree.rowsTouchedBy(change)
        if (rows === 'root') this.#redraw.fire(undefined)
        else this.#redrawChanged(rows)
      }),
    )
  }

  get visible(): boolean {
    return this.#view.visible
  }

  /** Rows the person has selected. */
  get selection(): readonly PoolsNode[] {
    return this.#view.selection
  }

  get badge(): number {
    return this.#view.badge?.value ?? 0
  }

  /** Says something above the rows; undefined takes it away. */
  showMessage(message: string | undefined): void {
    // An empty text takes the line away as well.
    this.#view.message = message ?? ''
  }

  /** What is said above the rows; empty when nothing is. */
  get message(): string {
    return this.#view.message ?? ''
  }

  /** Scrolls to a pool or worker and selects it. */
  async reveal(node: PoolNode | WorkerNode): Promise<void> {
    await this.#view.reveal(this.#tree.node(node), { select: true, focus: true, expand: true })
  }

  /** Shows another page of a long list. */
  showMore(node: MoreNode): void {
    this.#redraw.fire(this.#tree.showMore(node.poolId, node.list))
  }

  getChildren(parent?: PoolsNode): PoolsNode[] {
    return this.#tree.children(parent)
  }

  getParent(node: PoolsNode): PoolsNode | undefined {
    return this.#tree.parent(node)
  }

  getTreeItem(node: PoolsNode): TreeItem {
    const now = Date.now()
    this.#drawn.keep(node, now)
    const appearance = appearanceOf(node, this.#catalog, this.#tree, now)
    // A row that is asked for after it went; the next redraw takes it away.
    if (appearance === undefined) return new TreeItem(node.kind === 'worker' ? node.name : '')
    const item = treeItem(node, appearance)
    if (node.kind === 'more') item.command = { command: 'unhang.showMore', title: appearance.label, arguments: [node] }
    return item
  }

  resolveTreeItem(item: TreeItem, node: PoolsNode): TreeItem {
    const text = this.#tooltip(node)
    if (text !== undefined) item.tooltip = new MarkdownString(text, true)
    return item
  }

  dispose(): void {
    this.#ticking?.dispose()
    this.#owned.dispose()
  }

  #tooltip(node: PoolsNode): string | undefined {
    const now = Date.now()
    switch (node.kind) {
      case 'pool': {
        const pool = this.#catalog.pool(node.poolId)
        const main = pool && [...pool.workers.values()].find((worker) => worker.pid === pool.header.program?.pid)
        return pool && poolTooltip(pool.header, now, this.#catalog.poolsOf(node.poolId).length, main)
      }
      case 'worker': {
        const worker = this.#catalog.worker(node.poolId, node.name)
        return worker && workerTooltip(worker, now, this.#catalog.verdictOn(node.poolId, worker))
      }
      case 'task': {
        const task = this.#catalog.worker(node.poolId, node.worker)?.task
        return task ? taskTooltip(task, now) : undefined
      }
      case 'exitedGroup':
      case 'more':
        return undefined
    }
  }

  #tickWhileNeeded(): void {
    const needed = this.#view.visible && this.#catalog.livePools.length > 0
    if (needed) {
      this.#ticking ??= disposableInterval(() => {
        this.#redrawChanged(this.#tree.tickingRows())
      }, tickMs)
    } else {
      this.#ticking?.dispose()
      this.#ticking = undefined
    }
  }

  #redrawChanged(touched: readonly PoolsNode[]): void {
    const rows = this.#drawn.take(touched, Date.now())
    if (rows.length > 0) this.#redraw.fire(rows)
  }

  #updateBadge(): void {
    const stuck = this.#catalog.stuckCount
    if (stuck === this.badge) return
    // Only what needs somebody's attention is counted, not what runs.
    this.#view.badge = stuck === 0 ? undefined : { value: stuck, tooltip: l10n.t('{0} stuck', stuck) }
  }
}

const collapsibleStates: Readonly<Record<Appearance['collapsible'], TreeItemCollapsibleState>> = {
  none: TreeItemCollapsibleState.None,
  collapsed: TreeItemCollapsibleState.Collapsed,
  expanded: TreeItemCollapsibleState.Expanded,
}

function treeItem(
  node: PoolsNode,
  { id, label, description, accessibilityLabel, icon: { icon, color }, collapsible, contextValue, tone }: Appearance,
): TreeItem {
  const item = new TreeItem(label, collapsibleStates[collapsible])
  item.id = id
  item.description = description
  item.accessibilityInformation = { label: accessibilityLabel }
  item.iconPath = new ThemeIcon(icon, color === undefined ? undefined : new ThemeColor(color))
  if (contextValue !== undefined) item.contextValue = contextValue
  if (tone !== undefined) item.resourceUri = decorationUri(nodeKey(node), tone)
  return item
}
