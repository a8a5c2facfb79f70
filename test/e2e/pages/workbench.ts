import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { artifactsFolder } from '../../harness/paths.mjs'
import type { VSCodeServer } from '../../harness/vscodeServer.mjs'
import type { PageElement } from './pageElement'
import { Palette } from './palette'
import { PoolsView } from './poolsView'
import { TaskPicker } from './taskPicker'

/**
 * The extension host starts after the workbench is drawn; 5 s were measured on an idle machine, a busy one takes
 * longer.
 */
const startTimeoutMs = 60_000

/** One VS Code window, as a user sees it. */
export class Workbench {
  readonly palette: Palette
  readonly pools: PoolsView
  readonly tasks: TaskPicker

  private constructor(
    readonly server: VSCodeServer,
    readonly page: Page,
  ) {
    this.palette = new Palette(page)
    this.pools = new PoolsView(page)
    this.tasks = new TaskPicker(page, this.palette)
  }

  /** Opens a workspace in a page and waits until it can be worked with. */
  static async open(server: VSCodeServer, page: Page, workspace: string): Promise<Workbench> {
    const workbench = new Workbench(server, page)
    await page.goto(server.urlFor(workspace))
    await workbench.#waitUntilReady()
    return workbench
  }

  /** Reloads the window, as *Developer: Reload Window* does: the extension host ends and a new one starts. */
  async reload(): Promise<void> {
    await this.page.reload()
    await this.#waitUntilReady()
  }

  async #waitUntilReady(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor({ timeout: startTimeoutMs })
    await this.#activityTab('.codicon-explorer-view-icon').waitFor({ timeout: startTimeoutMs })
  }

  #activityTab(inside: string): Locator {
    return this.page
      .locator('.activitybar')
      .getByRole('tab')
      .filter({ has: this.page.locator(inside) })
  }

  /** Our tab in the activity bar, by the id of the container. */
  get tab(): Locator {
    return this.#activityTab('[class*="workbench-view-extension-unhang"]')
  }

  /** Makes the sidebar wide enough for whole rows, by dragging its edge. */
  async widenSidebar(width: number): Promise<void> {
    const sidebar = await this.page.locator('.part.sidebar').boundingBox()
    if (!sidebar) throw new Error('The sidebar is not shown.')
    const y = sidebar.y + sidebar.height / 2
    await this.page.mouse.move(sidebar.x + sidebar.width + 2, y)
    await this.page.mouse.down()
    await this.page.mouse.move(sidebar.x + width, y, { steps: 5 })
    await this.page.mouse.up()
    await this.page.mouse.move(this.page.viewportSize()?.width ?? 0, 0)
  }

  /** Shows our views, unless they are shown already (a click on the selected tab would hide the sidebar). */
  async openPools(): Promise<PoolsView> {
    await this.tab.waitFor({ timeout: startTimeoutMs })
    if ((await this.tab.getAttribute('aria-selected')) !== 'true') await this.tab.click()
    // Away from the tab, whose tooltip would hide rows.
    await this.page.mouse.move(this.page.viewportSize()?.width ?? 0, 0)
    await this.pools.waitUntilShown()
    return this.pools
  }

  /** Text of the badge on our tab, empty when there is none. */
  async badge(): Promise<string> {
    const badge = this.tab.locator('.badge-content')
    return (await badge.isVisible()) ? ((await badge.textContent()) ?? '').trim() : ''
  }

  /** Opens a file of the workspace in the editor, by its name. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P')
    await this.palette.input.fill(name)
    await this.palette.choose(name)
    await this.page.locator('.editor-instance .view-lines').waitFor()
  }

  /**
   * Goes back and forth between editor and sidebar for a while, and ends in the sidebar. An editor that loses the focus
   * drops the fetch of code lenses that it was about to make, some 300 ms after it was told of new ones.
   */
  async switchFocusFor(durationMs: number): Promise<void> {
    const end = Date.now() + durationMs
    while (Date.now() < end) {
      await this.page.keyboard.press('Control+1')
      await this.page.waitForTimeout(50)
      await this.page.keyboard.press('Control+0')
      await this.page.waitForTimeout(50)
    }
  }

  /** What the open editor shows, in the order of its lines. */
  async editorText(): Promise<string> {
    const lines = await this.page.locator('.editor-instance .view-line').evaluateAll((elements: unknown) =>
      (elements as (PageElement & { readonly offsetTop: number })[])
        .map((line) => ({ top: line.offsetTop, text: line.textContent ?? '' }))
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text),
    )
    return lines.join('\n').replaceAll('\u00a0', ' ')
  }

  /** What the terminal that is shown has printed, as it tells a screen reader. */
  async terminalText(): Promise<string> {
    const rows = this.page.locator(
      '.terminal-wrapper.active .xterm-rows > div, .terminal-wrapper.active .xterm-accessibility-tree > div',
    )
    return (await rows.allTextContents()).join('\n').replaceAll('\u00a0', ' ')
  }

  /** Clickable lines between the lines of the open editor, top down. */
  codeLenses(): Locator {
    return this.page.locator('.codelens-decoration')
  }

  /** The entry of ours in the status bar. */
  statusItem(): Locator {
    return this.page.locator('.statusbar-item[id^="unhang"]').first()
  }

  /** Every notification that is shown as a toast or in the centre. */
  notifications(): Locator {
    return this.page.locator('.notification-list-item')
  }

  /** The modal dialog that is open, if any. */
  dialog(): Locator {
    return this.page.locator('.monaco-dialog-box')
  }

  /** Clicks a button of the modal dialog by its text (a string matches any part of it). */
  async answerDialog(button: string | RegExp): Promise<void> {
    await this.dialog().getByRole('button', { name: button }).click()
    await this.dialog().waitFor({ state: 'hidden' })
  }

  /**
   * What *Developer: Show Running Extensions* says of an extension: milliseconds of loading its code and calling
   * `activate`. Waits until it is active.
   */
  async activationMs(extension: string): Promise<number> {
    await this.palette.run('Developer: Show Running Extensions')
    const rows = this.page.locator('.runtime-extensions-editor .monaco-list-row')
    const time = rows
      .filter({ hasText: extension })
      .locator('.activation-time')
      .filter({ hasText: /\d+\s*ms/ })
    await rows.first().hover()
    // The slowest come first and only what is in sight is drawn, so a fast one has to be scrolled to.
    const deadline = Date.now() + startTimeoutMs
    while (!(await time.isVisible())) {
      if (Date.now() > deadline) throw new Error(`${extension} is not among the running extensions.`)
      await this.page.mouse.wheel(0, 200)
      await this.page.waitForTimeout(100)
    }
    return Number(/(\d+)\s*ms/.exec((await time.textContent()) ?? '')?.[1])
  }

  /** Keeps a picture under the ignored folder test/.artifacts/screenshots and returns its path. */
  async screenshot(name: string): Promise<string> {
    const folder = join(artifactsFolder, 'screenshots')
    mkdirSync(folder, { recursive: true })
    const path = join(folder, `${name}.png`)
    // Toasts slide in, and hide more than their own place while they do.
    await untilNone(this.page.locator('.notification-toast:not(.notification-fade-in-done)'))
    await this.page.screenshot({ path, animations: 'disabled' })
    return path
  }
}

/** Waits until nothing matches; a picture is worth taking all the same, so this gives up quietly. */
async function untilNone(locator: Locator): Promise<void> {
  for (let looks = 0; looks < 30 && (await locator.count()) > 0; looks++) await locator.page().waitForTimeout(100)
}
