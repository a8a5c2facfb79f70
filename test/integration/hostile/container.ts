import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'vitest'
import { until } from '../host/testWorkspace'
import { cliForOthers } from './forOthers'

/** A user whom nobody knows by name. */
export const uid = 20001

/** How one command ended. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * As in a container: every mount is read-only for what is run, but for one folder (and /dev and /proc, which a
 * container has as well); the user has no line in passwd and no HOME. The machine's own mounts stay as they are, as
 * each command has a mount namespace of its own.
 */
const script = `
mount --make-rprivate / && mount --bind "$1" "$1" || exit 97
findmnt -rno TARGET | sort -r | while read -r target; do
  case "$target" in
    "$1"|/proc|/proc/*|/sys|/sys/*|/dev|/dev/*) ;;
    *) mount -o remount,bind,ro "$target" 2>/dev/null ;;
  esac
done
cd "$1/w" && shift && exec setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all "$@"`

/** Why such a container cannot be made here; undefined when it can. */
export function whyNoContainer(): string | undefined {
  if (process.platform !== 'linux') return "namespaces are Linux's"
  if (process.getuid?.() !== 0) return 'making a mount namespace needs root'
  const folder = mkdtempSync(join(tmpdir(), 'uh-'))
  try {
    mkdirSync(join(folder, 'w'))
    chmodSync(folder, 0o711)
    execFileSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        script,
        'sh',
        folder,
        'sh',
        '-c',
        `! touch ${join(tmpdir(), 'uh-must-not-be')} && ! touch /uh-must-not-be && ${process.execPath} --version`,
      ],
      { stdio: 'ignore' },
    )
    return undefined
  } catch {
    return 'unshare, mount and setpriv are needed, and allowed, and a temp folder and Node that every user can reach'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A test that runs `python3` in a container; it is skipped, and named with the reason, where there is none for it. */
export function itWithPython(title: string, body: () => Promise<void>): void {
  if (everyUserHasPython()) it(title, body)
  else it.skip(`${title} (skipped: no Python that every user can reach was found)`)
}

function everyUserHasPython(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    execFileSync('python3', ['--version'], { uid, gid: uid, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** One folder that can be written, and commands that see nothing else that can. */
export class Container {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-c-')))
  readonly workspace = join(this.folder, 'w')

  readonly cli = cliForOthers(this.folder)

  constructor() {
    mkdirSync(join(this.workspace, '.vscode'), { recursive: true })
    for (const folder of [this.folder, this.workspace, join(this.workspace, '.vscode')]) chownSync(folder, uid, uid)
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.workspace, name), text)
  }

  /** `unhang` with these arguments, in the container. */
  unhang(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.run([process.execPath, this.cli, ...args], env)
  }

  /** @param env Added to PATH and TMPDIR, which are all that it has. */
  run(command: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.#execute(['-m', 'sh', '-c', script, 'sh', this.folder, ...command], env)
  }

  #execute(args: readonly string[], env: Record<string, string>): Promise<Ran> {
    const own = { PATH: process.env.PATH ?? '', TMPDIR: this.folder, ...env }
    return new Promise((resolve) => {
      execFile('unshare', args, { env: own, timeout: 60_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 128, stdout, stderr })
      })
    })
  }

  /**
   * Runs a command as root, in a mount namespace of its own in which it may mount; the words of `unhang` are put behind
   * it.
   */
  asRoot(command: readonly string[]): Promise<Ran> {
    return this.#execute(
      [
        '-m',
        'sh',
        '-c',
        'mount --make-rprivate / && cd "$1" && shift && exec "$@"',
        'sh',
        this.workspace,
        ...command,
        process.execPath,
        this.cli,
      ],
      {},
    )
  }

  /** The same in a pid namespace of its own, with a /proc of its own on which `procOptions` are. */
  inOwnPids(command: readonly string[], procOptions = 'rw', env: Record<string, string> = {}): Promise<Ran> {
    const prepare = 'mount --make-rprivate / && mount -t proc -o "$2" proc /proc && cd "$1" && shift 2 && "$@"'
    return this.#execute(
      [
        '-m',
        '-p',
        '-f',
        '--kill-child',
        'sh',
        '-c',
        prepare,
        'sh',
        this.workspace,
        procOptions,
        ...command,
        process.execPath,
        this.cli,
      ],
      env,
    )
  }

  /** Whoever was started in here and lives. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
          return (
            !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2)) &&
            readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TMPDIR=${this.folder}`)
          )
        } catch {
          return false
        }
      })
  }

  async dispose(): Promise<void> {
    const { stderr } = await this.unhang(['host', 'stop', '--force'])
    try {
      await until(`the last process of the container to end (${stderr})`, () => this.processes().length === 0)
    } finally {
      for (const pid of this.processes()) process.kill(pid, 'SIGKILL')
      rmSync(this.folder, { recursive: true, force: true })
    }
  }
}
