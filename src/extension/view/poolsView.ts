import { EventEmitter, MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, window, type TreeDataProvider, type TreeView } from 'vscode'
import * as l10n from '@vscode/l10n'
import { DisposableStore, Emitter, disposableInterval, type Disposable } from '../lifecycle'
import type { PoolCatalog } from '../model/poolCatalog'
import { exitedGroupRow, poolRow, showMoreRow, taskRow, workerRow, type RowText } from '../text/rows'
import { poolContextValue, taskContextValue, workerContextValue } from './contextValue'
import { decorationUri } from './decorationUri'
import { poolIcon, taskIcon, workerIcon, type IconChoice } from './icons'
import { nodeKey, type MoreNode, type PoolNode, type PoolsNode, type WorkerNode } from './nodes'
import { PoolsTree } from './poolsTree'
import { taskTone, workerTone } from './tones'
import { poolTooltip, taskTooltip, workerTooltip } from './tooltips'

/** Elapsed times are shown in seconds. */
const tickMs = 1_000

/** The view `unhang.pools`: draws the catalog, and only while it is visible. */
export class PoolsView implements Disposable, TreeDataProvider<PoolsNode> {
  readonly #catalog: PoolCatalog
  readonly #tree: PoolsTree
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
    this.#owned.add(this.#redraw)
    this.#owned.add(this.#visibility)
    this.#view = this.#owned.add(window.createTreeView('unhang.pools', { treeDataProvider: this, canSelectMany: true, showCollapseAll: true }))
    this.#owned.add(this.#view.onDidChangeVisibility(({ visible }) => {
      this.#tickWhileNeeded()
      // What changed while nobody looked was not drawn.
      if (visible) this.#redraw.fire(undefined)
      this.#visibility.fire(visible)
    }))
    this.#owned.add(catalog.onDidChange((change) => {
      this.#updateBadge()
      this.#tickWhileNeeded()
      if (!this.#view.visible && !change.membership) return
      const rows = this.#tree.rowsChangedBy(change)
      if (rows === 'root') this.#redraw.fire(undefined)
      else if (rows.length > 0) this.#redraw.fire(rows)
    }))
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
    const item = this.#draw(node)
    item.id ??= nodeKey(node)
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

  #draw(node: PoolsNode): TreeItem {
    const now = Date.now()
    const pool = this.#catalog.pool(node.poolId)
    switch (node.kind) {
      case 'pool': {
        if (pool === undefined) return gone(node.poolId)
        const item = rowItem(poolRow(pool.header), poolIcon(pool.header))
        item.contextValue = poolContextValue(pool.header)
        // From the start, before it has workers: VS Code does not open a row that could not be opened when it came.
        item.collapsibleState = TreeItemCollapsibleState.Expanded
        return item
      }
      case 'worker': {
        const worker = this.#catalog.worker(node.poolId, node.name)
        if (worker === undefined) return gone(node.name)
        const item = rowItem(workerRow(worker, now), workerIcon(worker))
        item.contextValue = workerContextValue(worker, pool?.header)
        item.resourceUri = decorationUri(nodeKey(node), workerTone(worker))
        item.collapsibleState = worker.task === null ? TreeItemCollapsibleState.None : TreeItemCollapsibleState.Collapsed
        return item
      }
      case 'task': {
        const task = this.#catalog.worker(node.poolId, node.worker)?.task
        if (task === null || task === undefined) return gone(node.worker)
        const item = rowItem(taskRow(task, now), taskIcon(task))
        item.contextValue = taskContextValue(task, pool?.header)
        item.resourceUri = decorationUri(nodeKey(node), taskTone(task))
        return item
      }
      case 'exitedGroup': {
        if (pool === undefined) return gone(node.poolId)
        const listed = [...pool.workers.values()].filter((worker) => worker.status === 'exited').length
        const item = rowItem(exitedGroupRow(listed, pool.header.exitedWorkerCount), { icon: 'history' })
        item.contextValue = 'exitedGroup'
        // Once the pool has ended, how its workers ended is all there is to see. Another id, because VS Code remembers
        // for an id that it was closed.
        const ended = pool.header.state === 'ended'
        item.id = ended ? `${nodeKey(node)}/ended` : nodeKey(node)
        item.collapsibleState = ended ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed
        return item
      }
      case 'more': {
        const item = rowItem(showMoreRow(this.#tree.hiddenCount(node.poolId, node.list)), { icon: 'ellipsis' })
        item.command = { command: 'unhang.showMore', title: l10n.t('Show more…'), arguments: [node] }
        return item
      }
    }
  }

  #tooltip(node: PoolsNode): string | undefined {
    const now = Date.now()
    switch (node.kind) {
      case 'pool': {
        const pool = this.#catalog.pool(node.poolId)
        return pool && poolTooltip(pool.header, now)
      }
      case 'worker': {
        const worker = this.#catalog.worker(node.poolId, node.name)
        return worker && workerTooltip(worker, now)
      }
      case 'task': {
        const task = this.#catalog.worker(node.poolId, node.worker)?.task
        return task ? taskTooltip(task, now) : undefined
      }
      case 'exitedGroup':
      case 'more': return undefined
    }
  }

  #tickWhileNeeded(): void {
    const needed = this.#view.visible && this.#catalog.livePools.length > 0
    if (needed) {
      this.#ticking ??= disposableInterval(() => {
        const rows = this.#tree.tickingRows()
        if (rows.length > 0) this.#redraw.fire(rows)
      }, tickMs)
    } else {
      this.#ticking?.dispose()
      this.#ticking = undefined
    }
  }

  #updateBadge(): void {
    const stuck = this.#catalog.stuckCount
    if (stuck === this.badge) return
    // Only what needs somebody's attention is counted, not what runs.
    this.#view.badge = stuck === 0 ? undefined : { value: stuck, tooltip: stuck === 1 ? l10n.t('1 task is stuck') : l10n.t('{0} tasks are stuck', stuck) }
  }
}

function rowItem(text: RowText, { icon, color }: IconChoice): TreeItem {
  const item = new TreeItem(text.label)
  item.description = text.description
  item.accessibilityInformation = { label: text.accessibilityLabel }
  item.iconPath = new ThemeIcon(icon, color === undefined ? undefined : new ThemeColor(color))
  return item
}

/** A row that is asked for after it went; the next redraw takes it away. */
function gone(label: string): TreeItem {
  return new TreeItem(label)
}
