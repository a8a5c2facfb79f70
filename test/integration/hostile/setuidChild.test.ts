import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PsJson } from '../../../src/cli/ps/json'
import { lives, until } from '../cli/workspace'
import { uid } from './container'
import { cliForOthers } from './forOthers'

/** Makes in a folder of ours what becomes root for good, and starts the command behind it: a copy of setpriv. */
function makeSetuid(folder: string): string {
  const path = join(folder, 'as-root')
  copyFileSync(execFileSync('sh', ['-c', 'command -v setpriv'], { encoding: 'utf8' }).trim(), path)
  chmodSync(path, 0o4755)
  return path
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  const folder = mkdtempSync(join(tmpdir(), 'uh-s-'))
  try {
    chmodSync(folder, 0o711)
    const command = [
      '--reuid',
      String(uid),
      '--regid',
      String(uid),
      '--clear-groups',
      makeSetuid(folder),
      '--reuid',
      '0',
      'id',
      '-u',
    ]
    return execFileSync('setpriv', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() === '0'
      ? undefined
      : 'set-user-ID bits count for nothing here'
  } catch {
    return 'needs setpriv, and a temp folder where set-user-ID bits count'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const missing = whyNot()

describe.skipIf(missing !== undefined)(
  `a program of a user with a child that has become root${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { retry: 0, timeout: 120_000 },
  () => {
    let folder: string
    let cliScript: string
    let program: ChildProcess
    let stranger: ChildProcess
    let root = 0
    const command = (args: readonly string[]) => [
      '--reuid',
      String(uid),
      '--regid',
      String(uid),
      '--clear-groups',
      '--inh-caps=-all',
      process.execPath,
      cliScript,
      ...args,
    ]
    const options = () => ({ cwd: join(folder, 'w'), env: { PATH: process.env.PATH ?? '', TMPDIR: join(folder, 't') } })
    const unhang = (...args: string[]) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        execFile(
          'setpriv',
          command(args),
          { ...options(), timeout: 60_000, killSignal: 'SIGKILL' },
          (error, stdout, stderr) => {
            resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 128, stdout, stderr })
          },
        )
      })
    const pools = async () => (JSON.parse((await unhang('ps', '--all', '--json')).stdout) as PsJson).pools
    const pidIn = (name: string) =>
      until(name, () => {
        try {
          return Number(readFileSync(join(folder, 'w', name), 'utf8').trim()) || undefined
        } catch {
          return undefined
        }
      })

    beforeEach(async () => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-s-')))
      chmodSync(folder, 0o711)
      cliScript = cliForOthers(folder)
      for (const name of ['w', 't', join('w', '.vscode')]) {
        mkdirSync(join(folder, name))
        chownSync(join(folder, name), uid, uid)
      }
      const asRoot = makeSetuid(folder)
      writeFileSync(
        join(folder, 'w', 'program.sh'),
        `sleep 600 &\necho $! > plain\n${asRoot} --reuid 0 sh -c 'echo $$ > root; exec sleep 600' &\nwait\n`,
      )
      // Of the same user, and none of the program's.
      stranger = spawn('setpriv', ['--reuid', String(uid), '--regid', String(uid), '--clear-groups', 'sleep', '600'], {
        stdio: 'ignore',
      })
      program = spawn('setpriv', command(['run', '--name', 'program', '--', 'sh', 'program.sh']), {
        ...options(),
        stdio: 'ignore',
      })
      root = await pidIn('root')
    })
    afterEach(async () => {
      try {
        process.kill(root, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
      stranger.kill('SIGKILL')
      program.kill('SIGKILL')
      const stopped = await unhang('host', 'stop', '--force')
      rmSync(folder, { recursive: true, force: true })
      expect(stopped.stderr).toBe('')
    })

    it.each([
      ['terminate', 'SIGTERM', ['--sigkill']],
      ['kill', 'SIGKILL', []],
    ] as const)(
      '%s ends all but that child, names it and why, and touches no other process',
      async (verb, signal, more) => {
        const plain = await pidIn('plain')
        const ended = new Promise((resolve) => {
          program.once('exit', (code, by) => {
            resolve(code ?? by)
          })
        })
        await until(
          'it is seen',
          async () => (await pools()).some(({ workers }) => workers.some(({ pid }) => pid === root)) || undefined,
          { withinMs: 60_000 },
        )
        const { code, stdout } = await unhang(verb, ...more, 'program')
        expect(code).toBe(1)
        expect(stdout).toMatch(new RegExp(`pid=${root}\\b.*this user may not signal it`))
        expect(stdout.trim().split('\n')).toHaveLength(1)
        expect(await ended).toBe(signal)
        expect(await lives(plain)).toBe(false)
        expect(await lives(root)).toBe(true)
        expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
        await until(
          'why tells that it is left',
          async () => (await unhang('why')).stdout.includes(`(pid ${root}) still runs although program`) || undefined,
        )
        // What is left is not hidden.
        expect((await pools()).flatMap(({ workers }) => workers).find(({ pid }) => pid === root)).toMatchObject({
          exitCode: null,
          signal: null,
        })
        // Nobody but root ends it; the program is over then.
        process.kill(root, 'SIGKILL')
        await until(
          'the program has ended',
          async () => (await pools()).every(({ state }) => state === 'ended') || undefined,
          { withinMs: 60_000 },
        )
      },
    )
  },
)
