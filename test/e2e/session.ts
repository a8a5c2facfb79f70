import type { Browser, Page } from 'playwright-core'
import { newProfile, startBrowser } from '../harness/browser.mjs'
import { copyDemo } from '../harness/demoCopy.mjs'
import { ensureVSCode } from '../harness/vscodeInstall.mjs'
import { startServer, type VSCodeServer } from '../harness/vscodeServer.mjs'
import { Workbench } from './pages'

export type Theme = 'dark' | 'light'
const themes: Record<Theme, string> = { dark: 'Default Dark Modern', light: 'Default Light Modern' }

/** One VS Code with our extension on a copy of the demo, and a browser that shows it. */
export class Session {
  readonly #browser: Browser
  readonly #demo: ReturnType<typeof copyDemo>

  private constructor(
    readonly theme: Theme,
    readonly server: VSCodeServer,
    browser: Browser,
    demo: ReturnType<typeof copyDemo>,
    readonly page: Page,
    readonly workbench: Workbench,
  ) {
    this.#browser = browser
    this.#demo = demo
  }

  /** The workspace that is open. */
  get workspace(): string {
    return this.#demo.workspace
  }

  /**
   * Starts everything and opens the workspace. The extension is the packaged one that UNHANG_TEST_VSIX names (as in
   * `npm test`), else the built one of this checkout, with `manifest` in place of what package.json says.
   */
  static async start(theme: Theme, { manifest }: { manifest?: Record<string, unknown> } = {}): Promise<Session> {
    const vsix = process.env.UNHANG_TEST_VSIX
    const demo = copyDemo()
    let server: VSCodeServer | undefined
    let browser: Browser | undefined
    try {
      server = await startServer({
        vscode: await ensureVSCode(),
        ...(vsix && !manifest ? { vsix: [vsix] } : { builtExtension: true, ...(manifest ? { manifest } : {}) }),
        settings: { 'workbench.colorTheme': themes[theme] },
      })
      browser = await startBrowser()
      const page = await (await newProfile(browser, { theme })).newPage()
      return new Session(theme, server, browser, demo, page, await Workbench.open(server, page, demo.workspace))
    } catch (error) {
      await browser?.close()
      await server?.stop()
      demo.remove()
      throw error
    }
  }

  /** Keeps a picture of what was there instead of what a failed test expected; call it after each test. */
  async pictureOfFailure(task: { name: string; result?: { state: string } | undefined }): Promise<void> {
    if (task.result?.state === 'fail')
      await this.workbench.screenshot(`failed-${this.theme}-${task.name.replace(/[^\w]+/g, '-')}`)
  }

  /** Ends browser, server, hosts and pools, and removes the workspace. */
  async stop(): Promise<void> {
    await this.#browser.close()
    await this.server.stop()
    this.#demo.remove()
  }
}
