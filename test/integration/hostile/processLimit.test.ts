import { execFile, execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PsJson } from '../../../src/cli/ps/json'
import { lives, until } from '../cli/workspace'
import { cliForOthers } from './forOthers'

/** The kernel counts all processes of a user: this one has none but the test's. */
const uid = 20017
const asUser = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--inh-caps=-all']

function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  try {
    execFileSync(
      'setpriv',
      [
        ...asUser,
        'prlimit',
        '--nproc=50',
        process.execPath,
        '-e',
        'require("node:fs").accessSync(process.argv[1], 1)',
        tmpdir(),
      ],
      { stdio: 'ignore' },
    )
    return undefined
  } catch {
    return 'needs setpriv and prlimit, and a temp folder and a Node that every user can reach'
  }
}

const missing = whyNot()

describe.skipIf(missing !== undefined)(
  `a limit of processes (ulimit -u)${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { retry: 0, timeout: 120_000 },
  () => {
    let folder: string
    let cliScript: string
    const as = (command: readonly string[]) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        const options = {
          cwd: join(folder, 'w'),
          env: { PATH: process.env.PATH ?? '', TMPDIR: join(folder, 't') },
          timeout: 60_000,
          killSignal: 'SIGKILL',
        } as const
        execFile('setpriv', [...asUser, ...command], options, (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 128, stdout, stderr })
        })
      })
    const unhang = (...args: string[]) => as([process.execPath, cliScript, ...args])
    const pools = async () => (JSON.parse((await unhang('ps', '--json')).stdout) as PsJson).pools

    beforeEach(() => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'uh-p-')))
      cliScript = cliForOthers(folder)
      for (const name of ['.', 'w', 't', join('w', '.vscode')]) {
        if (name !== '.') mkdirSync(join(folder, name))
        chownSync(join(folder, name), uid, uid)
      }
      const tasks = [
        { label: 'Wait', command: ['sleep', '600'], items: [1, 2], processes: 2 },
        { label: 'Next', command: ['echo', '${item}'], items: [1, 2], processes: 2 },
      ]
      writeFileSync(
        join(folder, 'w', '.vscode', 'tasks.json'),
        JSON.stringify({ version: '2.0.0', tasks: tasks.map((task) => ({ type: 'pool', ...task })) }),
      )
    })
    afterEach(async () => {
      const { stderr } = await unhang('host', 'stop', '--force')
      rmSync(folder, { recursive: true, force: true })
      expect(stderr).toBe('')
    })

    it(
      'that its host has reached is told; what runs is listed and ended, and a signal of a shell ends the host ' +
        'and its workers',
      async () => {
        expect(await unhang('pool', '--detach', 'Wait')).toMatchObject({ code: 0 })
        const { workers } = await until('both run', async () =>
          (await pools()).find(({ counts }) => counts.running === 2),
        )
        const { pid: host } = JSON.parse((await unhang('host', 'status', '--json')).stdout) as { pid: number }
        await as(['prlimit', '--pid', String(host), '--nproc=5'])
        const refused = await unhang('pool', 'Next')
        expect(refused).toMatchObject({ code: 1, stdout: '' })
        expect(refused.stderr).toMatch(/no thread could be started.*\(ulimit -u\)/)
        expect((await pools())[0]).toMatchObject({ name: 'Wait', counts: { running: 2 } })
        expect(await unhang('kill', String(workers[0]!.pid))).toMatchObject({ code: 0, stderr: '' })
        expect(await lives(workers[0]!.pid)).toBe(false)
        // What a shell can do that cannot start a process any more.
        process.kill(host, 'SIGTERM')
        await until('the host has ended', async () => ((await lives(host)) ? undefined : true))
        expect(await lives(workers[1]!.pid)).toBe(false)
      },
    )
  },
)
