import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ResultOf, ParamsOf } from '../../../src/protocol'
import { describePythons, newest, oldestAndNewest } from '../runtimes/pythons'
import { cliScript, isRunning, programs, until, Watch } from './watch'

/**
 * Watched programs are ended whole, and nothing else: workers, the program, what descends from them; and Python's own
 * helpers last.
 */

vi.setConfig({ maxConcurrency: 4, testTimeout: 90_000, hookTimeout: 90_000 })

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

const withProgram: Watch['run'] = (...given) => watch.run(...given)

function shutdown(
  target: ParamsOf<'unhang/shutdown'>['targets'][number],
  mode: 'terminate' | 'kill',
  options: Partial<ParamsOf<'unhang/shutdown'>> = {},
): Promise<ResultOf<'unhang/shutdown'>> {
  return watch.host.request(
    'unhang/shutdown',
    { targets: [target], mode, askedBy: 'user', ...options },
    { timeoutMs: 60_000 },
  )
}

/** Named semaphores that these processes use, which Python's resource tracker removes in the end. */
function semaphoresOf(pids: readonly number[]): string[] {
  return [
    ...new Set(
      pids.flatMap((pid) =>
        [...readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/\/dev\/shm\/sem\.\S+/g)].map(([path]) => path),
      ),
    ),
  ].filter((path) => existsSync(path))
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
}

describePythons(
  oldestAndNewest,
  'Python $version',
  (python) => {
    for (const method of ['fork', 'spawn', 'forkserver'] as const) {
      for (const mode of ['terminate', 'kill'] as const) {
        it(
          `${mode}: a program with a pool by ${method} ends with all that descends from it, and leaves ` +
            'nothing behind',
          async () => {
            await withProgram('family.py', { python, args: [method] }, async (run) => {
              await run.untilSaid('began', 2)
              const [child] = (await run.untilSaid('subprocess')).map(Number)
              await run.untilPool('three tasks run', ({ counts }) => counts.running === 3)
              const before = run.processes()
              // The program, its Process, three workers and a task's own; with spawn the tracker, with the fork server
              // that as well.
              expect(before.length).toBeGreaterThanOrEqual(6)
              expect(before).toContain(child)
              const semaphores = semaphoresOf(before)
              if (method !== 'fork') expect(semaphores.length).toBeGreaterThan(0)

              const { issues, reports } = await shutdown({ kind: 'pool', poolId: run.id }, mode)
              expect(issues).toEqual([])
              expect(await run.ended).toEqual({ code: null, signal: mode === 'kill' ? 'SIGKILL' : 'SIGTERM' })
              await until('nothing is left', () => run.processes().length === 0, {
                seen: () => run.processes().map(commandLine),
              })
              expect(semaphoresOf([process.pid])).toEqual([])
              await until('its semaphores are removed', () => semaphores.every((path) => !existsSync(path)), {
                seen: () => semaphores.filter((path) => existsSync(path)),
              })
              expect(reports[0]!.workers.map(({ pid }) => pid)).toEqual(expect.arrayContaining([run.pid, child!]))
              await until('its pools have ended', () => run.parts.every(({ state }) => state === 'ended'), {
                seen: () => run.story(),
              })
              // Nothing is called lost that we took down ourselves.
              expect(run.stuck.map(({ verdict }) => verdict.summary)).toEqual([])
            })
          },
        )
      }
    }

    it('a worker alone: the pool replaces it, its task is lost, and by whom is said', async () => {
      await withProgram('long-tasks.py', { python, args: ['fork', '20'] }, async (run) => {
        const [began = ''] = await run.untilSaid('began', 2)
        const pid = Number(began.split(' ')[1])
        const pool = await run.untilPool('two tasks run', ({ counts }) => counts.running === 2)
        expect((await shutdown({ kind: 'worker', poolId: pool.id, pid }, 'terminate')).issues).toEqual([])
        expect(isRunning(pid)).toBe(false)
        const { verdict } = await run.untilVerdict('lost-task', (found) => found.pid === pid && found.stuck)
        expect(verdict.summary).toMatch(/was ended by SIGTERM after .* \(by us: /)
        expect(verdict.evidence).toContainEqual({
          what: 'our kill ledger',
          value: expect.stringMatching(/^ended by us: .*\(asked by user\)$/) as string,
        })
        await run.untilPool(
          'it is replaced',
          ({ workers }) => workers.filter(({ status }) => status !== 'exited').length === 2,
        )
        expect(isRunning(run.pid)).toBe(true)
      })
    })

    it('the stubborn program of seeds/003: terminate names it within its grace periods, kill ends it', async () => {
      await withProgram('seeds-003-stubborn.py', { python }, async (run) => {
        const { verdict } = await run.untilVerdict('sigterm-ignored')
        expect(verdict.stuck).toBe(false)
        const before = Date.now()
        const { issues } = await shutdown({ kind: 'pool', poolId: run.id }, 'terminate', { gracePeriodMs: 200 })
        console.log(
          `terminate of the stubborn program, Python ${python.version}: ${Date.now() - before} ms: ` +
            issues.join('; '),
        )
        expect(issues).toEqual(
          expect.arrayContaining([
            expect.stringMatching(/^worker still alive: ForkPoolWorker-1, pid=\d+, catches SIGTERM/),
            expect.stringMatching(/^worker still alive: ForkPoolWorker-2, pid=\d+, catches SIGTERM/),
          ]) as string[],
        )
        expect((await shutdown({ kind: 'pool', poolId: run.id }, 'kill')).issues).toEqual([])
        await until('nothing is left', () => run.processes().length === 0)
      })
    })

    it('what is left of a program that was killed can be ended', async () => {
      await withProgram('family.py', { python, args: ['fork'] }, async (run) => {
        await run.untilSaid('began', 2)
        await run.untilPool('three tasks run', ({ counts }) => counts.running === 3)
        process.kill(run.pid, 'SIGKILL')
        const { verdict } = await run.untilVerdict('orphaned')
        expect(isRunning(verdict.pid!)).toBe(true)
        expect((await shutdown({ kind: 'pool', poolId: run.id }, 'terminate')).issues).toEqual([])
        await until('nothing is left', () => run.processes().length === 0, {
          seen: () => run.processes().map(commandLine),
        })
        await until('it has ended', () => run.parts.every(({ state }) => state === 'ended'), {
          seen: () => run.story(),
        })
      })
    })
  },
  { concurrent: true },
)

describe('a host that is killed', () => {
  it(
    'leaves the program of a terminal running to its end, and the next host removes what was left ' + 'of its session',
    async () => {
      const other = await Watch.open()
      try {
        const env = { ...other.env, UNHANG_TEST_PROGRAM: 'of-a-terminal', PYTHONUNBUFFERED: '' }
        const cli = spawn(
          process.execPath,
          [cliScript, 'run', '--', newest.path, join(programs, 'long-tasks.py'), 'fork', '3'],
          { cwd: other.root, env, stdio: ['ignore', 'pipe', 'pipe'] },
        )
        let [stdout, stderr] = ['', '']
        cli.stdout.setEncoding('utf8').on('data', (text: string) => {
          stdout += text
        })
        cli.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text
        })
        const ended = new Promise((resolve) => {
          cli.once('close', (code, signal) => {
            resolve({ code, signal })
          })
        })
        await until('two tasks run', () => other.pools.some(({ counts }) => counts.running === 2), {
          seen: () => ({ stdout, stderr, pools: other.pools }),
        })
        const { directory } = other.host.endpoint
        const sessions = (): string[] => readdirSync(directory).filter((name) => name.startsWith('program-'))
        expect(sessions()).toHaveLength(1)
        process.kill(other.host.info.pid, 'SIGKILL')
        expect(await ended, stderr).toEqual({ code: 0, signal: null })
        expect(stdout).toContain('results [0, 1]')
        expect(stderr).toContain('unwatched')
        await other.reconnect()
        await until('the folder of the old session is gone', () => sessions().length === 0, { seen: sessions })
      } finally {
        await other.close()
      }
    },
  )
})
