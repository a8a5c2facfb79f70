import type { Page } from 'playwright-core'
import type { Palette } from './palette'

/** *Tasks: Run Task* does nothing in the first moments of a window; a user would simply call it again. */
const openAttempts = 10
const openTimeoutMs = 5000

/** *Tasks: Run Task*, where a user chooses what to run. */
export class TaskPicker {
  readonly #page: Page
  readonly #palette: Palette

  constructor(page: Page, palette: Palette) {
    this.#page = page
    this.#palette = palette
  }

  /** Runs a task of the workspace by its label in tasks.json. */
  async run(label: string): Promise<void> {
    await this.#open()
    await this.#palette.choose(label)
    await this.#palette.widget.waitFor({ state: 'hidden' })
  }

  async #open(): Promise<void> {
    const picker = this.#page.getByPlaceholder('Select the task to run')
    for (let attempt = 1; ; attempt++) {
      await this.#palette.run('Tasks: Run Task')
      try {
        await picker.waitFor({ timeout: openTimeoutMs })
        return
      } catch (error) {
        if (attempt === openAttempts) throw error
        await this.#page.keyboard.press('Escape')
      }
    }
  }
}
