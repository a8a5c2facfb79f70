import type { Page } from 'playwright-core'
import type { Palette } from './palette'

/** *Tasks: Run Task*, where a user chooses what to run. */
export class TaskPicker {
  constructor(
    private readonly page: Page,
    private readonly palette: Palette,
  ) {}

  /** Runs a task of the workspace by its label in tasks.json. */
  async run(label: string): Promise<void> {
    await this.palette.run('Tasks: Run Task')
    await this.palette.input.and(this.page.getByPlaceholder('Select the task to run')).waitFor()
    await this.palette.choose(label)
    await this.palette.widget.waitFor({ state: 'hidden' })
  }
}
