import type { Locator, Page } from 'playwright-core'
import type { PageElement } from './pageElement'

/** One row of the tree, as it is read. */
export interface Row {
  /** 1 for pools, 2 for workers and the groups beside them, 3 below. */
  level: number
  /** The name: `Stuck`, `PoolWorker-2`. */
  label: string
  /** The greyed text after it. */
  description: string
  /** What a screen reader says. */
  spoken: string
}

/** The tree of pools, workers and tasks in the sidebar. */
export class PoolsView {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** The pane of the view with its header. */
  get pane(): Locator {
    return this.#page.locator('.pane').filter({ has: this.#page.locator('.pane-header', { hasText: /^Pools/i }) })
  }

  async waitUntilShown(): Promise<void> {
    await this.pane.waitFor()
  }

  /** A row whose label or description has this text. */
  row(text: string | RegExp): Locator {
    return this.pane.locator('.monaco-list-row').filter({ hasText: text })
  }

  /** Every row that is drawn, top down. */
  async rows(): Promise<Row[]> {
    return this.pane.locator('.monaco-list-row').evaluateAll((elements: unknown) =>
      (elements as PageElement[])
        .map((element) => ({
          index: Number(element.getAttribute('data-index')),
          level: Number(element.getAttribute('aria-level')),
          label: element.querySelector('.label-name')?.textContent ?? '',
          description: element.querySelector('.label-description')?.textContent ?? '',
          spoken: element.getAttribute('aria-label') ?? '',
        }))
        .sort((a, b) => a.index - b.index)
        .map(({ level, label, description, spoken }) => ({ level, label, description, spoken })),
    )
  }

  /**
   * Opens a row that has children; nothing happens to one that is open. The tree opens some rows by itself in the
   * moment that they appear, and a click would then close them again: so this looks until the row stays open.
   */
  async expand(text: string | RegExp): Promise<void> {
    const row = this.row(text).first()
    await row.waitFor()
    for (let open = 0, looks = 0; open < 3; looks++) {
      if (looks === 60) throw new Error(`The row ${String(text)} does not stay open.`)
      const expanded = await row.getAttribute('aria-expanded')
      if (expanded === 'false') await row.locator('.monaco-tl-twistie').click()
      open = expanded === 'true' ? open + 1 : 0
      await this.#page.waitForTimeout(150)
    }
  }

  /** Clicks one of the buttons that a row shows while the pointer is on it. */
  async clickInline(row: Locator, title: string): Promise<void> {
    await row.hover()
    await row.getByRole('button', { name: new RegExp(`^${title}`) }).click()
  }
}
