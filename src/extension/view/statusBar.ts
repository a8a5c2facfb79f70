import { MarkdownString, StatusBarAlignment, ThemeColor, window, type StatusBarItem } from 'vscode'
import * as l10n from '@vscode/l10n'
import { DisposableStore, type Disposable } from '../lifecycle'
import type { PoolCatalog } from '../model/poolCatalog'
import { escapeMarkdown } from '../text/markdown'
import { poolRow } from '../text/rows'

/** Left, after the language servers' items and before the problems of no importance. */
const priority = 40
const commandsInTooltip = [
  'unhang.pools.focus',
  'unhang.rescuePool',
  'unhang.killStuck',
  'unhang.terminateAll',
] as const

/** One item, there only while pools run; a warning while something is stuck. */
export class PoolsStatusBar implements Disposable {
  readonly #catalog: PoolCatalog
  readonly #owned = new DisposableStore()
  #item: StatusBarItem | undefined
  #shown = ''

  constructor(catalog: PoolCatalog) {
    this.#catalog = catalog
    this.#owned.add(
      catalog.onDidChange(() => {
        this.#update()
      }),
    )
  }

  /** What it says now, empty while hidden. */
  get text(): string {
    return this.#shown.split('\n', 1)[0] ?? ''
  }

  dispose(): void {
    this.#item?.dispose()
    this.#owned.dispose()
  }

  #update(): void {
    const pools = this.#catalog.livePools
    if (pools.length === 0) {
      this.#item?.hide()
      this.#shown = ''
      return
    }
    const item = (this.#item ??= this.#create())
    const stuck = this.#catalog.stuckCount
    const count = this.#catalog.countedPools.length
    const running = count === 1 ? l10n.t('1 pool') : l10n.t('{0} pools', count)
    const text = stuck === 0 ? `$(server-process) ${running}` : `$(warning) ${l10n.t('{0}, {1} stuck', running, stuck)}`
    const spoken =
      stuck === 0 ? l10n.t('Unhang: {0} running', running) : l10n.t('Unhang: {0}, {1} stuck', running, stuck)
    const summary = pools
      .map(({ header }) => {
        const row = poolRow(header, this.#catalog.folderOf(header.id), this.#catalog.poolsOf(header.id).length)
        return `- **${escapeMarkdown(header.name)}** — ${escapeMarkdown(row.description)}`
      })
      .join('\n')
    const key = `${text}\n${summary}`
    if (key === this.#shown) return
    this.#shown = key
    item.text = text
    item.accessibilityInformation = { label: spoken }
    item.backgroundColor = stuck === 0 ? undefined : new ThemeColor('statusBarItem.warningBackground')
    const links = [`[${l10n.t('Show')}](command:unhang.pools.focus)`]
    if (this.#catalog.rescuablePools.length > 0) links.push(`[${l10n.t('Rescue…')}](command:unhang.rescuePool)`)
    if (this.#catalog.stuckWorkers.length > 0) links.push(`[${l10n.t('Kill All Stuck')}](command:unhang.killStuck)`)
    links.push(`[${l10n.t('Terminate All')}](command:unhang.terminateAll)`)
    const tooltip = new MarkdownString(`${summary}\n\n${links.join(' · ')}`)
    tooltip.isTrusted = { enabledCommands: commandsInTooltip }
    item.tooltip = tooltip
    item.show()
  }

  #create(): StatusBarItem {
    const item = window.createStatusBarItem('unhang.pools', StatusBarAlignment.Left, priority)
    item.name = l10n.t('Process Pools')
    item.command = 'unhang.pools.focus'
    return item
  }
}
