import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describePythons, oldestAndNewest } from '../pythons'
import { WatchedProgram } from './watchedProgram'

/**
 * `UNHANG_CPYTHON_TESTS=all` runs every test of multiprocessing and of executors, on every start method: half an hour.
 */
const all = process.env.UNHANG_CPYTHON_TESTS === 'all'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unhang-cpython-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const multiprocessing = all
  ? [['mp_fork'], ['mp_spawn'], ['mp_forkserver']]
  : [
      ['mp_fork', '-k', 'WithProcessesTestPool'],
      ['mp_spawn', '-k', 'WithProcessesTestPool.test_m'],
      ['mp_forkserver', '-k', 'WithProcessesTestPoolWorker'],
    ]
const executors: readonly { version: string; args: string[] }[] = all
  ? [
      { version: '3.8', args: ['test.test_concurrent_futures', '-k', 'ProcessPool'] },
      {
        version: '3.13',
        args: [
          'test.test_concurrent_futures.test_process_pool',
          'test.test_concurrent_futures.test_shutdown',
          'test.test_concurrent_futures.test_deadlock',
          '-k',
          'ProcessPool',
        ],
      },
    ]
  : [
      { version: '3.8', args: ['test.test_concurrent_futures', '-k', 'ProcessPoolForkProcessPoolExecutorTest.test_m'] },
      {
        version: '3.13',
        args: ['test.test_concurrent_futures.test_process_pool', '-k', 'ProcessPoolForkProcessPoolExecutorTest.test_m'],
      },
    ]

/** Not every installation carries them. */
function hasTests(python: string): boolean {
  const found = spawnSync(python, ['-c', 'import test._test_multiprocessing']).status === 0
  if (!found) console.log(`${python} has no tests of its own: they are not run.`)
  return found
}

async function outcomes(python: string, args: readonly string[], watched: boolean): Promise<Record<string, string[]>> {
  const file = join(folder, `outcomes-${watched}.json`)
  await using program = await WatchedProgram.start({
    python,
    watched,
    args: ['cpython_tests.py', file, ...args],
    env: { PYTHONDONTWRITEBYTECODE: undefined },
  })
  const { code, stderr } = await program.ended
  expect({ code, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({
    code: 0,
    last: expect.stringMatching(/^OK/) as string,
  })
  if (watched) {
    expect(program.connections.length).toBeGreaterThan(0)
    expect(program.connections.flatMap(({ events }) => events).filter(({ event }) => event === 'failed')).toEqual([])
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string[]>
}

describePythons(oldestAndNewest, "CPython $version's own tests of pools", ({ path: python, version }) => {
  const cases = [...multiprocessing, ...executors.filter((of) => of.version === version).map(({ args }) => args)]
  it.skipIf(!hasTests(python)).each(cases.map((args) => [args.join(' '), args] as const))(
    'have the same outcome under watch: %s',
    async (_, args) => {
      const watched = await outcomes(python, args, true)
      expect(Object.keys(watched).length).toBeGreaterThan(2)
      expect(watched).toEqual(await outcomes(python, args, false))
    },
    all ? 60 * 60_000 : 120_000,
  )
})
