// Runs test/e2e/host/**/*.test.ts inside a real extension host, with the real `vscode` API.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { newProfile, startBrowser } from './browser.mjs'
import { copyDemo } from './demoCopy.mjs'
import { artifactsFolder, repositoryRoot } from './paths.mjs'
import { ensureVSCode } from './vscodeInstall.mjs'
import { startServer } from './vscodeServer.mjs'

/** A whole run takes seconds; this only ends one that hangs. */
const runTimeoutMs = 10 * 60_000

/**
 * What test/e2e/host/index.ts writes at its end.
 * @typedef {object} HostReport
 * @property {number} passed
 * @property {number} failed
 * @property {number} pending
 * @property {{ title: string, message: string }[]} failures
 */

const bundleFolder = join(artifactsFolder, 'host')

async function bundle() {
  rmSync(bundleFolder, { recursive: true, force: true })
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: ['test/e2e/host/index.ts', 'test/e2e/host/**/*.test.ts'],
    outdir: bundleFolder,
    outbase: 'test/e2e/host',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'warning',
  })
}

/**
 * Reads the counts that the tests left; without them the run as a whole failed.
 * @param {string} file
 * @param {string} [otherwise] why there may be none
 * @returns {HostReport}
 */
export function readHostReport(file, otherwise = 'The run ended before any test reported; see its output.') {
  if (existsSync(file)) return /** @type {HostReport} */ (JSON.parse(readFileSync(file, 'utf8')))
  return { passed: 0, failed: 1, pending: 0, failures: [{ title: 'extension host', message: otherwise }] }
}

/**
 * Bundles the tests, runs them in VS Code on a copy of the demo and returns the counts. Output is printed as it comes.
 * @param {{ grep?: string }} [options] run only tests with this in their full title
 * @returns {Promise<HostReport>}
 */
export async function runExtensionHostTests(options = {}) {
  await bundle()
  const reportFile = join(artifactsFolder, 'reports', 'extension-host.json')
  for (const file of [reportFile, logFile]) {
    mkdirSync(dirname(file), { recursive: true })
    rmSync(file, { force: true })
  }
  const demo = copyDemo()
  /** @type {import('./vscodeServer.mjs').VSCodeServer | undefined} */
  let server
  /** @type {import('playwright-core').Browser | undefined} */
  let browser
  try {
    server = await startServer({
      vscode: await ensureVSCode(),
      testDriver: true,
      env: { UNHANG_TEST_REPORT: reportFile, ...(options.grep ? { UNHANG_TEST_GREP: options.grep } : {}) },
    })
    browser = await startBrowser()
    const page = await (await newProfile(browser)).newPage()
    const code = await runInPage(page, server, demo.workspace)
    return readHostReport(
      reportFile,
      `The run ended with code ${code} before any test reported; VS Code's log is ${logFile}.`,
    )
  } finally {
    await browser?.close()
    await server?.stop()
    demo.remove()
  }
}

/**
 * @param {import('playwright-core').Page} page
 * @param {import('./vscodeServer.mjs').VSCodeServer} server
 * @param {string} workspace
 * @returns {Promise<number>} 0 when VS Code says that all tests passed
 */
async function runInPage(page, server, workspace) {
  /** @type {(code: number) => void} */
  let exit = () => {}
  const ended = new Promise((/** @type {(code: number) => void} */ resolve) => {
    exit = resolve
  })
  await page.exposeFunction('codeAutomationLog', (/** @type {string} */ type, /** @type {unknown[]} */ args) => {
    printLog(type, args)
  })
  await page.exposeFunction('codeAutomationExit', (/** @type {number} */ code) => {
    exit(code)
  })
  const remote = (/** @type {string} */ path) => `vscode-remote://127.0.0.1:${server.port}${path}`
  await page.goto(
    server.urlFor(workspace, [
      ['extensionDevelopmentPath', remote(repositoryRoot)],
      ['extensionTestsPath', remote(join(bundleFolder, 'index'))],
      ['skipWelcome', 'true'],
    ]),
  )
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`The extension host tests did not end within ${runTimeoutMs / 60_000} minutes.`))
    }, runTimeoutMs)
  })
  try {
    return /** @type {number} */ (await Promise.race([ended, tooLong]))
  } catch (error) {
    await page.screenshot({ path: join(artifactsFolder, 'screenshots', 'extension-host-timeout.png') })
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** In front of every line of the tests' own, see test/e2e/host/index.ts. */
const lineMark = '[unhang-test] '
const logFile = join(artifactsFolder, 'logs', 'extension-host.log')

/** Prints the tests' lines and keeps VS Code's own chatter in a file. @param {string} type @param {unknown[]} args */
function printLog(type, args) {
  const text = args.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ')
  const at = text.indexOf(lineMark)
  if (at >= 0) console.log(text.slice(at + lineMark.length))
  else appendFileSync(logFile, `[${type}] ${text}\n`)
}
