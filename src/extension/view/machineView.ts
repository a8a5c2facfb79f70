import { EventEmitter, ThemeIcon, TreeItem, window, type TreeDataProvider, type TreeView } from 'vscode'
import { DisposableStore, Emitter, type Disposable } from '../lifecycle'
import type { PoolCatalog } from '../model/poolCatalog'
import { machineRows, type MachineRow } from './machineRows'

/** The view `unhang.machine`: the machine's load and the pools' share of it. */
export class MachineView implements Disposable, TreeDataProvider<MachineRow['id']> {
  readonly #catalog: PoolCatalog
  readonly #view: TreeView<MachineRow['id']>
  readonly #redraw = new EventEmitter<undefined>()
  readonly #visibility = new Emitter<boolean>()
  readonly #owned = new DisposableStore()
  #rows = new Map<MachineRow['id'], MachineRow>()

  readonly onDidChangeTreeData = this.#redraw.event
  readonly onDidChangeVisibility = this.#visibility.event

  constructor(catalog: PoolCatalog) {
    this.#catalog = catalog
    this.#owned.add(this.#redraw)
    this.#owned.add(this.#visibility)
    this.#view = this.#owned.add(window.createTreeView('unhang.machine', { treeDataProvider: this }))
    this.#owned.add(
      this.#view.onDidChangeVisibility(({ visible }) => {
        if (visible) this.#redraw.fire(undefined)
        this.#visibility.fire(visible)
      }),
    )
    this.#owned.add(
      catalog.onDidChange((change) => {
        if (change.machine && this.#view.visible) this.#redraw.fire(undefined)
      }),
    )
  }

  get visible(): boolean {
    return this.#view.visible
  }

  getChildren(parent?: MachineRow['id']): MachineRow['id'][] {
    if (parent !== undefined) return []
    const { machine } = this.#catalog
    this.#rows = new Map(machine === null ? [] : machineRows(machine).map((row) => [row.id, row]))
    return [...this.#rows.keys()]
  }

  getTreeItem(id: MachineRow['id']): TreeItem {
    const row = this.#rows.get(id)
    const item = new TreeItem(row?.label ?? id)
    item.id = id
    item.contextValue = `machine+${id}`
    if (row !== undefined) {
      item.description = row.description
      item.iconPath = new ThemeIcon(row.icon)
      item.accessibilityInformation = { label: row.accessibilityLabel }
    }
    return item
  }

  dispose(): void {
    this.#owned.dispose()
  }
}
