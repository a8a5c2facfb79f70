// Runs VS Code's own server, isolated from the user's VS Code and from every other run.
import { spawn } from 'node:child_process'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endGroup, run } from './commands.mjs'
import { repositoryRoot } from './paths.mjs'

/** From the start of the server to its first answer; on a busy 2-core machine it was seen to take 6 s. */
const startTimeoutMs = 60_000

/** VS Code's server did not come up. */
export class ServerStartError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message)
    this.name = 'ServerStartError'
  }
}

/**
 * @typedef {object} ServerOptions
 * @property {import('./vscodeInstall.mjs').VSCodeInstall} vscode
 * @property {string[]} [vsix] packaged extensions to install, as a user would
 * @property {boolean} [builtExtension] put the checkout's built extension in, without packaging it first
 * @property {Record<string, unknown>} [manifest] what differs from its package.json then
 * @property {string[]} [extensionFolders] more extensions that need no build
 * @property {boolean} [testDriver] accept an extension under test from the address; VS Code then shows no toasts and
 *   refuses modal dialogs, so not for tests that act as a user
 * @property {Record<string, unknown>} [settings] the user's settings, beyond the quiet defaults
 * @property {NodeJS.ProcessEnv} [env] added to the environment of the server, its terminals and the extension host
 * @property {boolean} [usualRuntime] let the extension's hosts put socket and ledger where they usually do, so that any
 *   terminal finds them; otherwise in a folder of this server's own (UNHANG_RUNTIME_DIR)
 */

/** A server that runs; `stop` ends it and removes everything that it kept on disk. */
export class VSCodeServer {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child
  #stopped = false
  /** Folders that were opened: each may have a host. @type {Set<string>} */
  #workspaces = new Set()

  /** @param {ServerOptions} options */
  constructor(options) {
    this.options = options
    /** Everything of this server, in one folder with a short name (a socket's path is limited to about 100 bytes). */
    this.folder = mkdtempSync(join(tmpdir(), 'unhang-vs-'))
    this.extensionsFolder = join(this.folder, 'ext')
    /** Where its pools' hosts live. */
    this.runtimeFolder = join(this.folder, 'rt')
    this.logFile = join(this.folder, 'server.log')
    this.port = 0
  }

  /** `http://127.0.0.1:PORT` */
  get address() {
    return `http://127.0.0.1:${this.port}`
  }

  /** True once the server has ended although nobody called {@link stop}. */
  get hasEndedByItself() {
    return (
      !this.#stopped && this.#child !== undefined && (this.#child.exitCode !== null || this.#child.signalCode !== null)
    )
  }

  /** The server's log so far. */
  get log() {
    try {
      return readFileSync(this.logFile, 'utf8')
    } catch {
      return '' // not started yet
    }
  }

  /**
   * What to open in the browser.
   * @param {string} workspace absolute path of a folder
   * @param {[string, string][]} [payload] keys of VS Code's own web test entry
   */
  urlFor(workspace, payload) {
    this.#workspaces.add(workspace)
    const query = new URLSearchParams({ folder: workspace })
    if (payload) query.set('payload', JSON.stringify(payload))
    // VS Code reads a plain path; %2F works as well but is ugly in the address line.
    return `${this.address}/?${query.toString().replaceAll('%2F', '/')}`
  }

  /** The environment of the server and of everything it starts. */
  get environment() {
    // VS Code puts its sockets into XDG_RUNTIME_DIR and forgets them there.
    const env = {
      ...process.env,
      XDG_RUNTIME_DIR: this.folder,
      ...(this.options.usualRuntime ? {} : { UNHANG_RUNTIME_DIR: this.runtimeFolder }),
      ...this.options.env,
    }
    // Left over when this itself runs in a VS Code terminal: they would make the server talk to that window.
    for (const name of Object.keys(env)) {
      if (/^(VSCODE_|CODE_SERVER_|ELECTRON_)/.test(name) || name === 'NODE_OPTIONS') Reflect.deleteProperty(env, name)
    }
    return env
  }

  async start() {
    const { vscode } = this.options
    mkdirSync(this.extensionsFolder, { recursive: true })
    if (!this.options.usualRuntime) mkdirSync(this.runtimeFolder, { recursive: true, mode: 0o700 })
    this.changeSettings(this.options.settings ?? {})
    if (this.options.builtExtension)
      this.#copyExtension(
        repositoryRoot,
        (entry) => /^(dist|media|l10n|package(\.nls.*)?\.json)$/.test(entry),
        this.options.manifest,
      )
    for (const folder of this.options.extensionFolders ?? []) this.#copyExtension(folder, () => true)
    for (const file of this.options.vsix ?? []) {
      await run(
        vscode.node,
        [
          vscode.server,
          '--install-extension',
          file,
          '--extensions-dir',
          this.extensionsFolder,
          '--server-data-dir',
          join(this.folder, 'data'),
        ],
        {
          env: this.environment,
          timeoutMs: 120_000,
        },
      )
    }
    // A port that was free a moment ago may be taken by the time the server binds it: then another one is tried.
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort()
      try {
        await this.#startOnPort()
        return
      } catch (error) {
        await this.#end()
        if (attempt === 3 || !this.log.includes('EADDRINUSE')) throw error
      }
    }
  }

  /**
   * Writes the user's settings; a running VS Code takes them up at once.
   * @param {Record<string, unknown>} settings beyond the quiet defaults
   */
  changeSettings(settings) {
    const userFolder = join(this.folder, 'user', 'User')
    mkdirSync(userFolder, { recursive: true })
    writeFileSync(join(userFolder, 'settings.json'), JSON.stringify({ ...quietSettings, ...settings }, undefined, 2))
  }

  /** @param {string} folder @param {(entry: string) => boolean} ships @param {Record<string, unknown>} [changes] */
  #copyExtension(folder, ships, changes) {
    const manifest = /** @type {Record<'publisher' | 'name' | 'version', string>} */ (
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    )
    const { publisher, name, version } = manifest
    const target = join(this.extensionsFolder, `${publisher}.${name}-${version}`)
    for (const entry of readdirSync(folder).filter(ships))
      cpSync(join(folder, entry), join(target, entry), { recursive: true })
    if (changes) writeFileSync(join(target, 'package.json'), JSON.stringify({ ...manifest, ...changes }))
  }

  async #startOnPort() {
    const { vscode } = this.options
    const log = openSync(this.logFile, 'w')
    const child = spawn(
      vscode.node,
      [
        vscode.server,
        '--host',
        '127.0.0.1',
        '--port',
        String(this.port),
        '--without-connection-token',
        '--accept-server-license-terms',
        '--disable-workspace-trust',
        '--telemetry-level',
        'off',
        ...(this.options.testDriver ? ['--enable-smoke-test-driver'] : []),
        '--server-data-dir',
        join(this.folder, 'data'),
        '--user-data-dir',
        join(this.folder, 'user'),
        '--extensions-dir',
        this.extensionsFolder,
      ],
      { env: this.environment, stdio: ['ignore', log, log], detached: true },
    )
    closeSync(log)
    this.#child = child
    /** @type {Error | undefined} */
    let spawnError
    child.once('error', (error) => {
      spawnError = error
    })
    const deadline = Date.now() + startTimeoutMs
    for (;;) {
      if (spawnError || child.exitCode !== null || child.signalCode !== null) {
        const why = spawnError?.message ?? `exit ${String(child.exitCode ?? child.signalCode)}`
        throw new ServerStartError(`VS Code's server ended before it answered (${why}):\n${this.log.slice(-4000)}`)
      }
      if (await answers(`${this.address}/version`)) return
      if (Date.now() > deadline)
        throw new ServerStartError(
          `VS Code's server did not answer on ${this.address} within ${startTimeoutMs / 1000} ` +
            `s:\n${this.log.slice(-4000)}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async #end() {
    const child = this.#child
    if (child?.pid === undefined) return
    await endGroup(child.pid)
    this.#child = undefined
  }

  /** Ends the pools of the opened workspaces, with SIGKILL where SIGTERM is ignored, and then their hosts. */
  async stopHosts() {
    const cli = join(repositoryRoot, 'dist', 'cli.js')
    if (!existsSync(cli)) return
    for (const workspace of this.#workspaces) {
      if (!existsSync(workspace)) continue
      const unhang = (/** @type {string[]} */ ...args) =>
        run(process.execPath, [cli, ...args], { cwd: workspace, env: this.environment, timeoutMs: 60_000 })
      const { pools } = /** @type {{ pools: { id: string, state: string }[] }} */ (
        JSON.parse(await unhang('ps', '--json'))
      )
      // `host stop` alone leaves, and names, what ignores SIGTERM: right for a user, not for the end of a demo.
      for (const { id } of pools.filter(({ state }) => state !== 'ended')) await unhang('terminate', id, '--sigkill')
      await unhang('host', 'stop')
    }
  }

  /**
   * Ends the server with its terminals and extension hosts, then its pools, and removes its folder. Safe to call twice.
   */
  async stop() {
    if (this.#stopped) return
    this.#stopped = true
    // The server first: its extension would start the next host as soon as one is gone.
    await this.#end()
    try {
      await this.stopHosts()
    } finally {
      this.#removeFolder()
    }
  }

  #removeFolder() {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** No first-run pages, no phoning home, nothing that moves by itself. */
const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'update.mode': 'none',
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'npm.autoDetect': 'off',
  'grunt.autoDetect': 'off',
  'gulp.autoDetect': 'off',
  'jake.autoDetect': 'off',
  'typescript.tsc.autoDetect': 'off',
  'task.allowAutomaticTasks': 'off',
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'window.commandCenter': false,
  // Without a graphics card the terminal's canvas is drawn with holes beside what floats above it.
  'terminal.integrated.gpuAcceleration': 'off',
}

/** @returns {Promise<number>} a port on 127.0.0.1 that nobody listens on */
export async function freePort() {
  const server = createServer()
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      resolve(undefined)
    })
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** @param {string} url */
async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false // not listening yet
  }
}

/**
 * Starts a server; the caller stops it.
 * @param {ServerOptions} options
 */
export async function startServer(options) {
  const server = new VSCodeServer(options)
  try {
    await server.start()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}
