import type { Locator, Page } from 'playwright-core'
import type { PageElement } from './pageElement'

/** The command palette and every other quick pick, which share one widget. */
export class Palette {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** The open widget. */
  get widget(): Locator {
    return this.#page.locator('.quick-input-widget:visible')
  }

  get input(): Locator {
    return this.widget.locator('input.input')
  }

  /** Entries of the open list. */
  get entries(): Locator {
    return this.widget.locator('.quick-input-list .monaco-list-row')
  }

  /** Runs a command by its title (`Pools: Kill Pool (SIGKILL)`), as a user types it. */
  async run(title: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.#page.keyboard.press('F1')
      await this.input.waitFor()
      await this.input.fill(`>${title}`)
      try {
        await this.entry(title).first().waitFor({ timeout: 5_000 })
        break
      } catch (error) {
        if (tries === 10) throw error
        // It lists the commands that were enabled when it opened: right after the start, that is before the workspace
        // is known to be trusted.
        await this.close()
      }
    }
    await this.entry(title).first().click()
    // The same widget then shows the command's own list, if it has one: until it does, the commands would be read.
    await this.#page.waitForFunction(`(() => {
      const input = document.querySelector('.quick-input-widget input.input')
      return !input || !input.checkVisibility() || !input.value.startsWith('>')
    })()`)
  }

  /** The entry with this label (not one that only contains it: *Stuck* is not *Kill All Stuck Workers*). */
  entry(label: string): Locator {
    const whole = new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`)
    return this.entries.filter({ has: this.#page.locator('.label-name', { hasText: whole }) })
  }

  /** Waits for a list to open (after {@link run}) and chooses an entry of it. */
  async choose(label: string): Promise<void> {
    await this.entry(label).first().click()
  }

  /** What the open list offers. */
  async offered(): Promise<string[]> {
    await this.entries.first().waitFor()
    return this.entries.evaluateAll((rows: unknown) =>
      (rows as PageElement[]).map((row) => row.querySelector('.label-name')?.textContent ?? ''),
    )
  }

  async close(): Promise<void> {
    await this.#page.keyboard.press('Escape')
    await this.widget.waitFor({ state: 'hidden' })
  }
}
