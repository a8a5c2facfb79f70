import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { homeFolder, temporaryFolder, userId } from './userFolders'

/**
 * Where the host of one workspace keeps its socket, its files and the output of its pools. Client and host compute the
 * same endpoint from the workspace root, so that they find each other without any configuration.
 */
export interface Endpoint {
  /** Real path of the workspace root. */
  readonly root: string
  /** Short hash of the root. */
  readonly key: string
  /** Private folder (0700) of this workspace's host. */
  readonly directory: string
  /** Process of the host and address of its socket ({@link HostInfo}). */
  readonly infoFile: string
  /** Live workers, found again by the next host. */
  readonly ledgerFile: string
  /** Live programs of terminals, which outlive the host that watched them. */
  readonly programsFile: string
  /** Every signal that was ever sent. */
  readonly killsFile: string
  readonly logFile: string
  /** Output of the host process itself, for a host that dies before it has a log. */
  readonly stderrFile: string
  /** Full output of tasks, a folder a pool. */
  readonly outputDirectory: string
}

/** The runtime folder cannot be trusted or made, so nothing in it was used. */
export class RuntimeDirectoryError extends Error {
  override readonly name = 'RuntimeDirectoryError'
  constructor(
    readonly directory: string,
    readonly why: string,
    readonly advice: string,
  ) {
    super(`Unhang cannot use the runtime folder ${directory}: ${why}. ${advice}`)
  }
}

/** The workspace folder does not exist or is not a folder. */
export class WorkspaceRootError extends Error {
  override readonly name = 'WorkspaceRootError'
  constructor(
    readonly root: string,
    readonly why: string,
  ) {
    super(`${root} is no workspace: ${why}. Name an existing folder.`)
  }
}

/**
 * `sun_path` holds 104 bytes on macOS and 108 on Linux with the terminating zero; libuv cuts a longer path short
 * without saying so, and two workspaces would then share a socket.
 */
export const maxSocketPathBytes = 100

/** The socket's file name: 8 random hexadecimal digits and `.sock`. */
const socketNameBytes = 13

/**
 * The workspace of a folder: the nearest parent with `.vscode/` or `.git`, else the folder itself. VS Code keeps its
 * own data in `~/.vscode`, so the home folder counts only when it has a tasks.json.
 */
export function findWorkspaceRoot(folder: string, home: string | undefined = homeFolder()): string {
  const start = resolve(folder)
  for (let at = start; ; at = dirname(at)) {
    const marked = at === home ? existsSync(join(at, '.vscode', 'tasks.json')) : existsSync(join(at, '.vscode'))
    if (marked || existsSync(join(at, '.git'))) return at
    if (dirname(at) === at) return start
  }
}

/**
 * The endpoint of a workspace; makes and checks its folders.
 * @throws {@link WorkspaceRootError} when the root is no folder, {@link RuntimeDirectoryError} when a folder is
 * accessible to other users, who could read the token or plant a socket there.
 */
export async function endpointOf(root: string, env: NodeJS.ProcessEnv = process.env): Promise<Endpoint> {
  const real = await realWorkspaceRoot(root)
  const key = workspaceKey(real)
  const base = runtimeBase(env)
  const directory = join(base, key)
  const socketBytes = Buffer.byteLength(directory) + 1 + socketNameBytes
  if (process.platform !== 'win32' && socketBytes > maxSocketPathBytes) {
    throw new RuntimeDirectoryError(
      base,
      `a socket in it would have a path of ${socketBytes} bytes, and ${maxSocketPathBytes} is the limit`,
      'Set UNHANG_RUNTIME_DIR to a shorter path.',
    )
  }
  await makePrivate(base)
  await makePrivate(directory)
  return {
    root: real,
    key,
    directory,
    infoFile: join(directory, 'host.json'),
    ledgerFile: join(directory, 'ledger.jsonl'),
    programsFile: join(directory, 'programs.jsonl'),
    killsFile: join(directory, 'kills.jsonl'),
    logFile: join(directory, 'host.log'),
    stderrFile: join(directory, 'host.stderr'),
    outputDirectory: join(directory, 'output'),
  }
}

/** Files that the host of a workspace left on disk. */
export interface HostTraces {
  /** A host has announced itself; it may have died since. */
  readonly announced: boolean
  /**
   * The ledger has entries: a host runs workers, or died and may have left workers behind. A host removes it when it
   * ends.
   */
  readonly ledger: boolean
}

/**
 * Searches for traces of a host without creating or trusting anything: a cheap check for an editor that has just
 * started, or has just lost its host, before it connects ({@link endpointOf}, `connectOrStart`).
 */
export async function hostTraces(root: string, env: NodeJS.ProcessEnv = process.env): Promise<HostTraces> {
  try {
    const directory = join(runtimeBase(env), workspaceKey(await realpath(root)))
    const size = async (name: string): Promise<number> =>
      stat(join(directory, name)).then(
        (found) => found.size,
        () => 0,
      )
    const [info, ledger] = await Promise.all([size('host.json'), size('ledger.jsonl')])
    return { announced: info > 0, ledger: ledger > 0 }
  } catch {
    // Without a usable runtime folder there is no host either. The start of a host reports what is wrong with the
    // folder.
    return { announced: false, ledger: false }
  }
}

function workspaceKey(realRoot: string): string {
  return createHash('sha256')
    .update(process.platform === 'win32' ? realRoot.toLowerCase() : realRoot)
    .digest('hex')
    .slice(0, 12)
}

async function realWorkspaceRoot(root: string): Promise<string> {
  let real: string
  try {
    real = await realpath(root)
  } catch (error) {
    throw new WorkspaceRootError(root, error instanceof Error ? error.message : String(error))
  }
  if (!(await lstat(real)).isDirectory()) throw new WorkspaceRootError(root, 'it is a file')
  return real
}

/** The folder of all workspaces of this user. */
export function runtimeBase(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env.UNHANG_RUNTIME_DIR
  if (chosen !== undefined && chosen !== '') {
    if (!isAbsolute(chosen))
      throw new RuntimeDirectoryError(chosen, 'the path is relative', 'Set UNHANG_RUNTIME_DIR to an absolute path.')
    return resolve(chosen)
  }
  if (process.platform === 'win32') return join(localAppData(env), 'unhang')
  return join(temporaryFolder(env), `unhang-${userId() ?? 'user'}`)
}

function localAppData(env: NodeJS.ProcessEnv): string {
  if (env.LOCALAPPDATA !== undefined) return env.LOCALAPPDATA
  const home = homeFolder(env)
  if (home === undefined)
    throw new RuntimeDirectoryError(
      '%LOCALAPPDATA%\\unhang',
      'there is no home folder',
      'Set UNHANG_RUNTIME_DIR to a folder of your own.',
    )
  return join(home, 'AppData', 'Local')
}

/** Makes a folder that only this user can enter, or checks that the existing folder is one. */
async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw new RuntimeDirectoryError(
        directory,
        'its parent folder does not exist',
        'Make it, or set UNHANG_RUNTIME_DIR to a folder in an existing one.',
      )
    }
    if (code !== 'EEXIST')
      throw new RuntimeDirectoryError(
        directory,
        message,
        'Set UNHANG_RUNTIME_DIR to a folder that you can write, with some room on its disk.',
      )
  }
  // lstat: a symbolic link that another user planted in a shared /tmp must not be followed.
  const found = await lstat(directory)
  const advice = 'Remove it, or set UNHANG_RUNTIME_DIR to another folder.'
  if (found.isSymbolicLink()) throw new RuntimeDirectoryError(directory, 'it is a symbolic link', advice)
  if (!found.isDirectory()) throw new RuntimeDirectoryError(directory, 'it is not a folder', advice)
  const uid = userId()
  if (uid === undefined) return
  if (found.uid !== uid)
    throw new RuntimeDirectoryError(directory, `it belongs to user ${found.uid}, not to you (${uid})`, advice)
  const mode = found.mode & 0o777
  if (mode !== 0o700) {
    throw new RuntimeDirectoryError(
      directory,
      `its mode is ${mode.toString(8).padStart(4, '0')}, so others could open it; it must be 0700`,
      `If you know why, \`chmod 700 ${directory}\`; else remove it.`,
    )
  }
}
