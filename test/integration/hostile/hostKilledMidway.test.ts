import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KillLedgerEntry } from '../../../src/shutdown'
import { buildHost, isRunning, poolsOf, TestWorkspace, until, untilPool } from '../host/testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(() => {
  workspace = new TestWorkspace(built.hostScript)
})
afterEach(async () => {
  await workspace.dispose()
})

const dies = async (pid: number) => {
  process.kill(pid, 'SIGKILL')
  await until('the host to be dead', () => !isRunning(pid))
}
/** Notes every SIGTERM, and goes on; it is one process. */
const stubborn = (file: string) => ({
  command: [
    'node',
    '-e',
    "process.on('SIGTERM', () => require('fs').appendFileSync(process.argv[1] + '.' + process.argv[2], 'x')); " +
      "require('fs').writeFileSync(process.argv[1] + '.' + process.argv[2], ''); setInterval(() => {}, 1e6)",
    '--',
    file,
    '${item}',
  ],
  items: ['a', 'b', 'c'],
  processes: 3,
})
const received = (file: string) =>
  ['a', 'b', 'c'].map((item) => (existsSync(`${file}.${item}`) ? readFileSync(`${file}.${item}`, 'utf8').length : -1))
const kills = async (): Promise<KillLedgerEntry[]> => {
  const { killsFile } = await workspace.endpoint()
  if (!existsSync(killsFile)) return []
  // Each line whole: a host that is killed leaves no half of one that hides the next.
  return readFileSync(killsFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KillLedgerEntry)
}

describe('a host that is killed in the middle of a terminate', { retry: 0 }, () => {
  it(
    'leaves a ledger that is whole: the next one finds all workers, signals none by itself, and ends them when ' +
      'it is asked to',
    async () => {
      const file = join(workspace.folder, 'got')
      const first = await workspace.connect()
      const { poolId } = await first.request('unhang/launchPool', {
        definition: { ...stubborn(file), gracePeriodMs: 60_000 },
      })
      const pids = (await untilPool(first, poolId, 'the tasks', ({ counts }) => counts.running === 3)).workers.map(
        ({ pid }) => pid,
      )
      for (const pid of pids) workspace.track(pid)
      await until('the handlers', () => received(file).every((count) => count === 0))
      const ending = first
        .request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'terminate', askedBy: 'cli' })
        .catch((error: unknown) => error)
      await until('the first signals', () => received(file).some((count) => count > 0))
      await dies(first.info.pid)
      expect(await ending).toBeInstanceOf(Error)
      await until('what was sent to arrive', () => received(file).every((count) => count === 1))
      const second = await workspace.connect()
      const [pool] = await poolsOf(second)
      expect(pool).toMatchObject({ id: poolId, orphaned: true })
      expect(pool?.workers.map(({ pid }) => pid).sort()).toEqual([...pids].sort())
      expect(
        (await kills())
          .filter(({ signal }) => signal === 'SIGTERM')
          .map(({ identity }) => identity.pid)
          .sort(),
      ).toEqual([...pids].sort())
      await sleep(500)
      expect(received(file)).toEqual([1, 1, 1])
      expect(
        (await second.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'cli' }))
          .issues,
      ).toEqual([])
      expect(pids.filter(isRunning)).toEqual([])
      expect(
        (await kills())
          .filter(({ signal }) => signal === 'SIGKILL')
          .map(({ identity }) => identity.pid)
          .sort(),
      ).toEqual([...pids].sort())
    },
  )

  it.each([0, 5, 20, 50, 90, 110, 150, 250])(
    '%i ms after it began loses nobody, and no stranger gets a signal',
    async (afterMs) => {
      const file = join(workspace.folder, 'got')
      const strangersFile = join(workspace.folder, 'stranger')
      writeFileSync(strangersFile, '')
      // As alike as a stranger can be: the same command, started by us.
      const stranger = spawn(
        'node',
        [
          '-e',
          `process.on('SIGTERM', () => require('fs').appendFileSync(process.argv[1], 'x')); setInterval(() => {}, 1e6)`,
          '--',
          strangersFile,
          'a',
        ],
        { stdio: 'ignore' },
      )
      try {
        const first = await workspace.connect()
        const { poolId } = await first.request('unhang/launchPool', {
          definition: { ...stubborn(file), gracePeriodMs: 100, useSigkill: true },
        })
        const pids = (await untilPool(first, poolId, 'the tasks', ({ counts }) => counts.running === 3)).workers.map(
          ({ pid }) => pid,
        )
        for (const pid of pids) workspace.track(pid)
        await until('the handlers', () => received(file).every((count) => count === 0))
        const ending = first
          .request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'terminate', askedBy: 'cli' })
          .catch((error: unknown) => error)
        await sleep(afterMs)
        await dies(first.info.pid)
        await ending
        const left = pids.filter(isRunning)
        const second = await workspace.connect()
        const shown = (await poolsOf(second)).flatMap(({ workers }) =>
          workers.filter(({ status }) => status !== 'exited').map(({ pid }) => pid),
        )
        expect(shown.sort()).toEqual(left.sort())
        // Whoever got a signal is in the ledger, with no half line.
        const signalled = pids.filter((_, index) => (received(file)[index] ?? 0) > 0).length
        expect(new Set((await kills()).map(({ identity }) => identity.pid)).size).toBeGreaterThanOrEqual(signalled)
        expect(
          (await second.request('unhang/shutdown', { targets: [{ kind: 'all' }], mode: 'kill', askedBy: 'cli' }))
            .issues,
        ).toEqual([])
        expect(pids.filter(isRunning)).toEqual([])
        expect((await kills()).every(({ identity }) => pids.includes(identity.pid))).toBe(true)
        expect(readFileSync(strangersFile, 'utf8')).toBe('')
        expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
      } finally {
        stranger.kill('SIGKILL')
      }
    },
  )
})
