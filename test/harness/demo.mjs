// What `npm start` does.
import { join } from 'node:path'
import { endCommandsOnInterrupt, exitOnInterruptWith, onInterrupt, run } from './commands.mjs'
import { findOnPath } from './debianPackages.mjs'
import { installDependencies } from './dependencies.mjs'
import { openInBrowser } from './desktop.mjs'
import { demoWorkspace, repositoryRoot } from './paths.mjs'
import { say, step } from './steps.mjs'
import { ensureVSCode } from './vscodeInstall.mjs'
import { startServer } from './vscodeServer.mjs'

/** The pool that hangs, by its label in the demo's tasks.json. */
const hungPool = 'Stuck'

/** Shows the extension and the tasks when the page opens. */
const opener = join(repositoryRoot, 'test', 'fixtures', 'demo-opener')

/** As dark or light as the user's system. */
const settings = {
  'window.autoDetectColorScheme': true,
  'workbench.preferredDarkColorTheme': 'Default Dark Modern',
  'workbench.preferredLightColorTheme': 'Default Light Modern',
}

/** Opens the demo workspace in a real VS Code, with a hung pool in it, until Ctrl-C. */
export async function startDemo() {
  endCommandsOnInterrupt()
  try {
    await installDependencies()
    await step('Building Unhang', () =>
      run(process.execPath, [join('src', 'build', 'build.mjs')], { cwd: repositoryRoot }),
    )
    const vscode = await ensureVSCode()
    const server = await step('Starting VS Code', () =>
      // The usual runtime folder: `unhang ps` in any terminal then sees the demo's pools.
      startServer({ vscode, builtExtension: true, extensionFolders: [opener], usualRuntime: true, settings }),
    )
    onInterrupt(async () => {
      console.log()
      await step('Ending VS Code, the host and its pools', () => server.stop())
    })
    exitOnInterruptWith(0)
    const url = server.urlFor(demoWorkspace)
    await launchHungPool()
    printInvitation(url)
    openInBrowser(url)
    await unexpectedEnd(server)
    console.error("VS Code's server ended by itself. Its last words:\n" + server.log.slice(-4000))
    await server.stop()
    process.exit(1)
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  }
}

/** The demo is worth opening without it, so this never stops the start. */
async function launchHungPool() {
  try {
    await step(`Launching the pool ${hungPool}`, () =>
      run(process.execPath, [join(repositoryRoot, 'dist', 'cli.js'), 'pool', hungPool, '--detach'], {
        cwd: demoWorkspace,
        timeoutMs: 60_000,
      }),
    )
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
}

/**
 * Resolves when the server has ended by itself, which it never should; Ctrl-C ends this program before. @param
 * {import('./vscodeServer.mjs').VSCodeServer} server
 */
async function unexpectedEnd(server) {
  while (!server.hasEndedByItself) await new Promise((resolve) => setTimeout(resolve, 500))
}

/** @param {string} url */
function printInvitation(url) {
  say('Ready.')
  console.log(`
Open ${url}

  1. The pool "${hungPool}" hangs: in the Pools view, see which of its workers is stuck, on what, and why.
  2. End the stuck worker with the button on its row, or the whole pool: F1, "Pools: Kill Pool (SIGKILL)".
  3. Run "Train" from the lens above it in tasks.json: a Python program of your own that hangs, and can be rescued.
  4. Run "Stubborn" or "Word count"; in a terminal here: node ../../../dist/cli.js ps

Ctrl-C ends VS Code and every pool.
`)
  if (findOnPath('python3') === undefined)
    console.log(
      '"Train" and "Stubborn" are written in Python, and there is no python3 on PATH: install it to try those.\n',
    )
}
