import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { PoolSnapshot } from '../../../src/protocol'
import { describePythons, oldestAndNewest, startMethods, type Python } from '../runtimes/pythons'
import { programs, stateOf, until, Watch, type WatchedRun } from './watch'
import { pattern } from '../../pattern'

/**
 * After a rescue the program's own output proves that it went on, or raised; and nothing is done where the evidence
 * does not hold.
 */

vi.setConfig({ maxConcurrency: 5, testTimeout: 90_000, hookTimeout: 90_000 })

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

const withProgram: Watch['run'] = (...given) => watch.run(...given)

const squares = `[${Array.from({ length: 12 }, (_, item) => item * item).join(', ')}]`

async function untilLost(run: WatchedRun): Promise<{ pool: PoolSnapshot; task: string; worker: string; pid: number }> {
  const { pool, verdict } = await run.untilVerdict('lost-task', ({ stuck, worker }) => stuck && worker !== null)
  return { pool, task: verdict.task!, worker: verdict.worker!, pid: verdict.pid! }
}

describePythons(
  oldestAndNewest,
  'Python $version',
  (python) => {
    suite(python)
  },
  { concurrent: true },
)

function suite(python: Python): void {
  describe('a lost task that is failed', () => {
    for (const { method, call, how, code } of [
      { method: 'fork', call: 'map', how: 'sys-exit', code: 1 },
      { method: 'spawn', call: 'chunks', how: 'os-exit-0', code: 0 },
      { method: 'forkserver', call: 'imap', how: 'segv', code: -11 },
      { method: 'fork', call: 'apply_async', how: 'sys-exit', code: 1 },
    ]) {
      it(
        `raises WorkerLost in ${call}, ${method}: a multiprocessing.ProcessError that names worker ` + 'and exit code',
        async () => {
          await withProgram('lost-task.py', { python, args: [method, how, call] }, async (run) => {
            const { pool, task, worker, pid } = await untilLost(run)
            expect(await run.rescue(pool.id, { kind: 'fail', task })).toEqual([
              { done: true, text: expect.stringMatching(/fails in the program with WorkerLost/) as string },
            ])
            expect(await run.untilSaid('caught')).toEqual([
              expect.stringMatching(
                new RegExp(
                  `^WorkerLost: task run.* was lost: ${worker} \\(pid ${pid}\\) ` +
                    `${code < 0 ? 'was killed by signal 11' : `exited with code ${code}`}$`,
                ),
              ) as string,
            ])
            expect(await run.untilSaid('details')).toEqual([`${worker} ${pid} ${code}`])
            expect(await run.untilSaid('after')).toEqual(['[1, 2]'])
            expect(await run.ended).toEqual({ code: 0, signal: null })
          })
        },
      )
    }
  })

  describe('a lost task that is run again', () => {
    for (const { method, call } of [
      { method: 'fork', call: 'map' },
      { method: 'spawn', call: 'chunks' },
      { method: 'forkserver', call: 'imap' },
      { method: 'fork', call: 'apply_async' },
    ]) {
      it(`lets ${call} return all results, ${method}`, async () => {
        await withProgram(
          'lost-task.py',
          { python, args: [method, 'os-exit-0', call, '--once', watch.flag()] },
          async (run) => {
            const { pool, task } = await untilLost(run)
            expect(await run.rescue(pool.id, { kind: 'retry', task })).toEqual([
              { done: true, text: expect.stringMatching(/is in the queue again/) as string },
            ])
            expect(await run.untilSaid('results')).toEqual([squares])
            expect(await run.ended).toEqual({ code: 0, signal: null })
          },
        )
      })
    }
    it('is lost again where it always ends its worker, and can be failed then', async () => {
      await withProgram('lost-task.py', { python, args: ['fork', 'sys-exit', 'map'] }, async (run) => {
        const first = await untilLost(run)
        await run.rescue(first.pool.id, { kind: 'retry', task: first.task })
        const { verdict } = await run.untilVerdict('lost-task', ({ pid, stuck }) => stuck && pid !== first.pid)
        expect(run.said('cause')).toHaveLength(2)
        expect(await run.rescue(first.pool.id, { kind: 'fail', task: verdict.task! })).toMatchObject([{ done: true }])
        await run.untilSaid('caught')
        expect(await run.ended).toEqual({ code: 0, signal: null })
      })
    })
  })

  it(
    'the first program of seeds/003: why says it, rescue --retry runs the tasks again, rescue --fail ' +
      'makes map() raise',
    async () => {
      await withProgram('seeds-003-lost.py', { python }, async (run) => {
        await untilLost(run)
        const pool = await run.untilPool(
          'both tasks are lost',
          ({ verdicts }) => verdicts.filter(({ code }) => code === 'lost-task').length === 2,
        )
        const why = await watch.cli('why', pool.id)
        expect(why.stdout).toMatch(
          pattern(
            /seeds-003-lost\.py:10 will wait for ever: task 0 run\(\(0,\)\) was lost when ForkPoolWorker-\d/,
            / \(pid \d+\) exited with code 1 after/,
          ),
        )
        const retry = await watch.cli('rescue', pool.id, '--retry', '--yes')
        expect(retry).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/done: run\(\(0,\)\) is in the queue again/) as string,
        })
        const pids = pool.verdicts.map(({ pid }) => pid)
        const again = await run.untilPool(
          'both are lost again',
          ({ verdicts }) =>
            verdicts.filter(({ code, pid }) => code === 'lost-task' && !pids.includes(pid)).length === 2,
        )
        const fail = await watch.cli('rescue', again.id, '--fail', '--yes')
        expect(fail.stdout).toMatch(/done: run\(\(0,\)\) fails in the program with WorkerLost/)
        expect(await run.ended).toEqual({ code: 1, signal: null })
        await until(
          'the traceback',
          () =>
            pattern(
              /unhang_observer\.WorkerLost: task run\(\([01],\)\) was lost: ForkPoolWorker-\d+ \(pid \d+\)/,
              / exited with code 1/,
            ).test(run.stderr),
          { seen: () => run.stderr },
        )
        expect(run.stderr).toContain('p.map(run, [(rank,) for rank in range(2)])')
      })
    },
  )

  describe('a lock whose holder is dead', () => {
    it.for(startMethods)('is released, and all results come: %s', async (method, { expect: check }) => {
      await withProgram('orphaned-queue-lock.py', { python, args: [method] }, async (run) => {
        const { pool, verdict } = await run.untilVerdict('orphaned-queue-lock', ({ stuck }) => stuck)
        const [{ text } = { text: '' }] = await run.rescue(pool.id, { kind: 'release', lock: 'tasks' })
        check(text).toBe(`the lock of the tasks that ${verdict.worker!} (pid ${verdict.pid!}) died with is released`)
        check(await run.untilSaid('results')).toEqual(['[0, 1, 4, 9, 16, 25]'])
        check(await run.ended).toEqual({ code: 0, signal: null })
      })
    })
    it.for(['fork', 'spawn'])(
      'is released also where the dead holder had begun to read a task: that one runs, too: %s',
      async (method, { expect: check }) => {
        await withProgram('orphaned-queue-lock.py', { python, args: [method, '--cut'] }, async (run) => {
          const { pool } = await run.untilVerdict('orphaned-queue-lock', ({ stuck }) => stuck)
          check(await run.rescue(pool.id, { kind: 'release', lock: 'tasks' })).toMatchObject([{ done: true }])
          check(await run.untilSaid('results')).toEqual(['[0, 1, 4, 9, 16, 25]'])
          check(await run.ended).toEqual({ code: 0, signal: null })
        })
      },
    )
    it('is released in an idle pool, which then ends as any other', async () => {
      await withProgram('orphaned-queue-lock.py', { python, args: ['fork', '--idle'] }, async (run) => {
        const { pool } = await run.untilVerdict('orphaned-queue-lock', ({ stuck }) => !stuck)
        expect(await run.rescue(pool.id, { kind: 'release', lock: 'tasks' })).toMatchObject([{ done: true }])
        await run.untilPool('nothing is said any more', ({ verdicts }) => verdicts.length === 0)
        expect(run.stuck).toEqual([])
      })
    })
    it('is that of the results: released, and the task that its holder took along runs again', async () => {
      await withProgram('orphaned-result-lock.py', { python, args: ['fork'] }, async (run) => {
        const { pool } = await run.untilVerdict('orphaned-queue-lock', ({ stuck }) => stuck)
        expect(await run.rescue(pool.id, { kind: 'release', lock: 'results' })).toEqual([
          { done: true, text: expect.stringContaining('the lock of the results') as string },
        ])
        const { verdict } = await run.untilVerdict('lost-task', ({ stuck, worker }) => stuck && worker !== null)
        expect(await run.rescue(pool.id, { kind: 'retry', task: verdict.task! })).toMatchObject([{ done: true }])
        expect(await run.untilSaid('results')).toEqual(['200'])
        expect(await run.ended).toEqual({ code: 0, signal: null })
      })
    })
    it(
      "is that of the reader's program of seeds/001: whenever it hangs, rescue lets it complete " + 'with all results',
      async () => {
        let hung = 0
        // Whether the one that is killed holds the lock is a matter of luck: one of two, when both had the time to ask
        // for a task.
        for (let tries = 0; hung === 0 && tries < 20; tries += 1) {
          await withProgram(
            'slow-prints.py',
            { python, args: [join(programs, 'seeds-001-reader.py')], env: { PYTHONUNBUFFERED: '1' } },
            async (run) => {
              await until('it ends, or hangs', () => run.hasEnded || run.stuck.length > 0, {
                withinMs: 60_000,
                seen: () => run.story(),
              })
              if (!run.hasEnded) {
                hung += 1
                const [{ pool, verdict } = run.stuck[0]!] = run.stuck
                expect(run.stuck.map((sighting) => sighting.verdict.code)).toEqual(['orphaned-queue-lock'])
                const why = await watch.cli('why', pool.id)
                expect(why.stdout).toMatch(/orphaned-queue-lock/)
                expect(why.stdout).toMatch(/futex 0x[0-9a-f]+/)
                expect(why.stdout).toContain(
                  `(pid ${verdict.pid!}) was ended by SIGKILL while it held the lock of the task queue`,
                )
                expect(await watch.cli('rescue', pool.id, '--yes')).toMatchObject({
                  code: 0,
                  stdout: expect.stringMatching(/^done: the lock of the tasks/) as string,
                })
              }
              expect(await run.ended).toMatchObject({ code: 0 })
              await until('both tasks to have run', () => run.stdout.match(/Echo from worker/g)?.length === 2, {
                seen: () => run.stdout,
              })
            },
          )
        }
        expect(hung).toBe(1)
      },
    )
  })

  it('a stopped worker is continued', async () => {
    await withProgram('long-tasks.py', { python, args: ['fork', '2'] }, async (run) => {
      const [began = ''] = await run.untilSaid('began', 2)
      const pid = Number(began.split(' ')[1])
      process.kill(pid, 'SIGSTOP')
      const { pool } = await run.untilVerdict('stopped', ({ stuck }) => stuck)
      expect(await run.rescue(pool.id, { kind: 'continue', pid })).toMatchObject([{ done: true }])
      expect(await run.untilSaid('results')).toEqual(['[0, 1]'])
    })
  })

  describe('"onStuck": "retry"', () => {
    const retry = { onStuck: 'retry' } as const
    it('runs a lost task again by itself', async () => {
      await withProgram(
        'lost-task.py',
        { python, args: ['fork', 'sys-exit', 'map', '--once', watch.flag()], watch: retry },
        async (run) => {
          expect(await run.untilSaid('results')).toEqual([squares])
        },
      )
    })
    it('releases a lock by itself', async () => {
      await withProgram('orphaned-queue-lock.py', { python, args: ['fork'], watch: retry }, async (run) => {
        expect(await run.untilSaid('results')).toEqual(['[0, 1, 4, 9, 16, 25]'])
      })
    })
    it('continues a stopped worker by itself', async () => {
      await withProgram('long-tasks.py', { python, args: ['fork', '2'], watch: retry }, async (run) => {
        const [began = ''] = await run.untilSaid('began', 2)
        process.kill(Number(began.split(' ')[1]), 'SIGSTOP')
        expect(await run.untilSaid('results')).toEqual(['[0, 1]'])
      })
    })
    it('does not run a task for ever that ends every worker', async () => {
      await withProgram('lost-task.py', { python, args: ['fork', 'sys-exit', 'map'], watch: retry }, async (run) => {
        // The first time, and three more.
        await run.untilSaid('cause', 4)
        const pid = Number(run.said('cause')[3]!.split(' ')[1])
        await run.untilVerdict('lost-task', (verdict) => verdict.stuck && verdict.pid === pid)
        // After a further look (the last verdict stands, and is the only one) still nobody has run it.
        await watch.host.request('unhang/look', {})
        await watch.host.request('unhang/look', {})
        expect(run.said('cause')).toHaveLength(4)
        expect(run.pool?.verdicts.filter(({ stuck }) => stuck)).toMatchObject([{ code: 'lost-task', pid }])
      })
    })
  })

  describe('a rescue is refused', () => {
    it('the second time, also when both come at once', async () => {
      await withProgram(
        'lost-task.py',
        { python, args: ['fork', 'sys-exit', 'map', '--once', watch.flag()] },
        async (run) => {
          const { pool, task } = await untilLost(run)
          const both = (
            await Promise.all([
              run.rescue(pool.id, { kind: 'retry', task }),
              run.rescue(pool.id, { kind: 'retry', task }),
            ])
          ).flat()
          expect(both.filter(({ done }) => done)).toHaveLength(1)
          expect(await run.untilSaid('results')).toEqual([squares])
        },
      )
    })
    it('the second time for a lock', async () => {
      await withProgram('orphaned-queue-lock.py', { python, args: ['fork', '--idle'] }, async (run) => {
        const { pool } = await run.untilVerdict('orphaned-queue-lock')
        const both = (
          await Promise.all([
            run.rescue(pool.id, { kind: 'release', lock: 'tasks' }),
            run.rescue(pool.id, { kind: 'release', lock: 'tasks' }),
          ])
        ).flat()
        expect(both.map(({ done }) => done).sort()).toEqual([false, true])
        expect(await run.rescue(pool.id, { kind: 'release', lock: 'tasks' })).toMatchObject([{ done: false }])
      })
    })
    it('while everybody lives: no task is failed, no lock is released, nobody is continued', async () => {
      await withProgram('long-tasks.py', { python, args: ['fork', '3'] }, async (run) => {
        const [began = ''] = await run.untilSaid('began', 2)
        const pool = await run.untilPool('two tasks run', ({ counts }) => counts.running === 2)
        const outcomes = await run.rescue(
          pool.id,
          { kind: 'fail', task: '0' },
          { kind: 'retry', task: '1' },
          { kind: 'release', lock: 'tasks' },
          { kind: 'release', lock: 'results' },
          { kind: 'continue', pid: Number(began.split(' ')[1]) },
        )
        expect(outcomes.map(({ done, text }) => [done, text !== ''])).toEqual(
          Array.from({ length: 5 }, () => [false, true]),
        )
        expect(await run.untilSaid('results')).toEqual(['[0, 1]'])
        expect(run.stuck).toEqual([])
      })
    })
    it('when the pool, or its program, has ended', async () => {
      await withProgram('lost-task.py', { python, args: ['fork', 'sys-exit', 'map'] }, async (run) => {
        const { pool, task } = await untilLost(run)
        process.kill(run.pid, 'SIGKILL')
        await run.ended
        await expect(
          run.rescue(pool.id, { kind: 'fail', task }).then(
            (outcomes) => outcomes.filter(({ done }) => done),
            () => [],
          ),
        ).resolves.toEqual([])
      })
    })
    it('while the program cannot answer, and says why', async () => {
      await withProgram(
        'lost-task.py',
        { python, args: ['fork', 'sys-exit', 'map', '--once', watch.flag()] },
        async (run) => {
          const { pool, task } = await untilLost(run)
          process.kill(run.pid, 'SIGSTOP')
          await until('the program is stopped', () => stateOf(run.pid) === 'T')
          const [outcome] = await run.rescue(pool.id, { kind: 'fail', task })
          expect(outcome).toMatchObject({ done: false, text: expect.stringMatching(/did not answer/) as string })
          process.kill(run.pid, 'SIGCONT')
          // Nor is it done later: the task waits for a rescue as before.
          await until('it answers again', async () =>
            (await watch.cli('stacks', String(run.pid))).stdout.includes('in-process observer'),
          )
          expect(await run.rescue(pool.id, { kind: 'retry', task })).toMatchObject([{ done: true }])
          expect(await run.untilSaid('results')).toEqual([squares])
        },
      )
    })
  })
}
