import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lives, until, Workspace } from '../cli/workspace'

/** Sets the clock of whatever loads it, while it runs. */
const library = ['/usr/lib64', '/usr/lib']
  .flatMap((folder) =>
    existsSync(folder)
      ? ['', ...readdirSync(folder)].map((inside) => join(folder, inside, 'faketime', 'libfaketimeMT.so.1'))
      : [],
  )
  .find((file) => existsSync(file))
const hourMs = 3_600_000

let workspace: Workspace
beforeEach(async () => {
  workspace = await Workspace.create()
  await set(0)
})
afterEach(async () => {
  await workspace.dispose()
})

/**
 * The wall clock of commands, host, workers and programs alike; what counts from boot goes on as on a machine whose
 * clock is set.
 */
const set = (offsetMs: number) => workspace.write('clock', `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}\n`)
const env = () => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: join(workspace.folder, 'clock'),
  FAKETIME_NO_CACHE: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
  NO_FAKE_STAT: '1',
})
const run = (...args: string[]) => workspace.start(args, { env: env() }).finished

async function launch(label: string, options: Record<string, unknown>): Promise<void> {
  await workspace.write('wait.js', 'exports.default = () => new Promise(() => setInterval(() => {}, 1000))\n')
  await workspace.writeTasks([{ label, module: './wait.js', items: [1], processes: 1, ...options }])
  expect(await run('pool', '--detach', label)).toMatchObject({ code: 0, stderr: '' })
  await workspace.untilPool(label, ({ counts }) => counts.running === 1)
}

describe.skipIf(library === undefined).each([
  ['forward', hourMs],
  ['back', -hourMs],
] as const)(
  `a wall clock that is set an hour %s${library === undefined ? ' (needs faketime)' : ''}`,
  { retry: 0, timeout: 120_000 },
  (_, offsetMs) => {
    it('makes no task of a pool older, or younger, and its verdict comes in its time', async () => {
      await launch('Wait', { stuckAfterMs: 10_000 })
      const startedAt = performance.now()
      await set(offsetMs)
      const stuck = await workspace.untilPool('Wait', ({ counts }) => counts.stuck === 1, { withinMs: 60_000 })
      const afterMs = performance.now() - startedAt
      expect(afterMs).toBeGreaterThan(5000)
      expect(stuck.workers[0]!.task!.elapsedMs).toBeGreaterThan(5000)
      expect(stuck.workers[0]!.task!.elapsedMs).toBeLessThan(afterMs + 30_000)
      // The same process as before: nobody is taken for somebody else.
      expect(await run('terminate', 'Wait')).toMatchObject({ code: 0, stdout: '', stderr: '' })
      expect(await lives(stuck.workers[0]!.pid)).toBe(false)
    })

    it('ends no task before its time limit, and none later', async () => {
      await launch('Limited', { timeoutMs: 8000 })
      const startedAt = performance.now()
      await set(offsetMs)
      await workspace.untilPool('Limited', ({ counts }) => counts.timedOut === 1, { withinMs: 60_000 })
      expect(performance.now() - startedAt).toBeGreaterThan(4000)
    })

    it('leaves a host in reach, which watches its programs as before', async () => {
      await workspace.write(
        'lost.py',
        [
          'import multiprocessing, os, select',
          'context = multiprocessing.get_context("fork")',
          'lock = context.Lock()',
          'def task(path):',
          '    with lock:',
          // Not time.sleep(): the preloaded library fails it once the clock is set.
          '        while not os.path.exists(path): select.select([], [], [], 0.05)',
          '        os._exit(3)',
          'if __name__ == "__main__":',
          '    with context.Pool(2) as pool: pool.map(task, ["go", "go"], 1)',
          '',
        ].join('\n'),
      )
      const program = workspace.start(['run', '--', 'python3', 'lost.py'], { env: env() })
      await until(
        'both tasks',
        async () =>
          (await workspace.pools()).find(
            ({ kind, workers }) => kind === 'watched' && workers.filter(({ task }) => task !== null).length === 2,
          ),
        { withinMs: 60_000 },
      )
      await set(offsetMs)
      // Each has a look of its own. One task works, and the other one waits for it.
      for (let looks = 0; looks < 3; looks++) expect(await run('why', 'lost.py', '--json')).toMatchObject({ code: 0 })
      expect((await workspace.pools()).map(({ counts }) => counts.stuck)).toEqual([0, 0])
      await workspace.write('go', '')
      const task = await until(
        'the verdict',
        async () => {
          const { workers } = (await workspace.pools()).find(({ kind }) => kind === 'watched')!
          return workers.find(({ task: one }) => one?.verdict?.code === 'lost-task')?.task ?? undefined
        },
        { withinMs: 60_000 },
      )
      expect(task.elapsedMs).toBeLessThan(120_000)
      expect(await run('kill', 'lost.py')).toMatchObject({ code: 0, stdout: '' })
      expect(await program.finished).toMatchObject({ signal: 'SIGKILL' })
    })
  },
)
