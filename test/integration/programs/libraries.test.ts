import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { PoolSnapshot } from '../../../src/protocol'
import { describePythons, newest, oldestAndNewest, type Python } from '../runtimes/pythons'
import { until, Watch, type WatchedRun } from './watch'
import { pattern } from '../../pattern'

/**
 * Pools that are no plain `multiprocessing.Pool`: joblib's, and classes of the program's own. They are seen like any
 * other, or left alone in silence.
 */

vi.setConfig({ maxConcurrency: 4, testTimeout: 90_000, hookTimeout: 90_000 })

/** Debian's packages are for Debian's own interpreter. */
const debians: Python = { version: '3', path: '/usr/bin/python3' }

function hasJoblib(): boolean {
  try {
    execFileSync(debians.path, ['-c', 'import joblib'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('Without joblib (Debian: python3-joblib) its pools are not tested.')
    return false
  }
}

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

async function untilEnded(run: WatchedRun): Promise<void> {
  await until('the end of the program', () => run.hasEnded, { withinMs: 60_000, seen: () => run.story() })
  expect(await run.ended, JSON.stringify(run.story())).toEqual({ code: 0, signal: null })
}

const squares = `[${Array.from({ length: 12 }, (_, item) => item * item).join(', ')}]`
const sixSquares = '[0, 1, 4, 9, 16, 25]'

describe.skipIf(!hasJoblib())('joblib.Parallel(backend="multiprocessing")', () => {
  /** Its temporary folder would outlive a program that is killed. */
  async function withJoblib(
    args: readonly string[],
    test: (run: WatchedRun) => Promise<void>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await watch.run(
      'joblib-pool.py',
      {
        python: debians,
        args,
        watch: { stuckAfterMs: args[0] === 'patient' ? 2000 : 30_000 },
        env: { JOBLIB_TEMP_FOLDER: watch.root, ...env },
      },
      test,
    )
  }

  async function untilLost(run: WatchedRun): Promise<{
    pool: PoolSnapshot
    task: string
    worker: string
    pid: number
    summary: string
    advice: string
    waits: string | undefined
  }> {
    const { pool, verdict } = await run.untilVerdict('lost-task', ({ stuck, worker }) => stuck && worker !== null)
    const [cause = ''] = await run.untilSaid('cause')
    expect(verdict.pid).toBe(Number(cause.split(' ')[1]))
    expect(run.stuck.map(({ verdict: { code } }) => code)).toEqual(['lost-task'])
    const waits = verdict.evidence.find(({ what }) => what.includes('waits in'))?.value
    return {
      pool,
      task: verdict.task!,
      worker: verdict.worker!,
      pid: verdict.pid!,
      summary: verdict.summary,
      advice: verdict.advice,
      waits,
    }
  }

  describe.concurrent('a worker that ends in the middle of a task', () => {
    for (const {
      how,
      ended,
      args = [],
      env,
      task,
      call = 'Parallel',
      waits = /^joblib-pool\.py:\d+ \(<module>\), in Parallel\.__call__$/,
    } of [
      { how: 'sys-exit', ended: 'exited with code 1', task: /run\(7, 'sys-exit', once=None\)/ },
      { how: 'sigkill', ended: 'was ended by SIGKILL', task: /run\(7, 'sigkill', once=None\)/ },
      {
        how: 'os-exit',
        ended: 'exited with code 1',
        env: { JOBLIB_START_METHOD: 'spawn' },
        task: /run\(7, 'os-exit', once=None\)/,
      },
      { how: 'os-exit', ended: 'exited with code 1', args: ['--batch', '2'], task: /run × 2/ },
      {
        how: 'os-exit',
        ended: 'exited with code 1',
        args: ['--batch', '4', '--map'],
        task: /run × 4 \(items 4–7\)/,
        call: 'starmap',
        waits: /^joblib-pool\.py:\d+ \(<module>\), in Pool\.starmap$/,
      },
    ]) {
      it(
        'is told with its task, and failed the program raises WorkerLost: ' +
          [how, ...args, ...Object.values(env ?? {})].join(' '),
        async () => {
          await withJoblib(
            [how, ...args],
            async (run) => {
              const lost = await untilLost(run)
              expect(lost.pool.name).toMatch(/^joblib-pool\.py:\d+$/)
              expect(lost.summary).toMatch(
                new RegExp(
                  `^${lost.pool.name} will wait for ever: task \\S+ ${task.source} was lost when ${lost.worker} ` +
                    `\\(pid ${lost.pid}\\) ${ended} after`,
                ),
              )
              expect(lost.waits).toMatch(waits)
              expect(lost.advice).toBe(`Rescue: fail the task (${call}() raises WorkerLost) or run it again.`)
              expect(await run.rescue(lost.pool.id, { kind: 'fail', task: lost.task })).toEqual([
                { done: true, text: expect.stringMatching(/fails in the program with WorkerLost/) as string },
              ])
              expect(await run.untilSaid('caught')).toEqual([
                expect.stringMatching(
                  new RegExp(`^WorkerLost: task ${task.source} was lost: ${lost.worker} \\(pid ${lost.pid}\\) `),
                ) as string,
              ])
              expect(await run.untilSaid('after')).toEqual(['[1, 2]'])
              await untilEnded(run)
            },
            env,
          )
        },
      )
    }
    for (const { args = [], env } of [
      { args: ['--batch', '1'] },
      { args: ['--batch', '4'] },
      { args: ['--map'] },
      { env: { JOBLIB_START_METHOD: 'spawn' } },
    ]) {
      it(
        'loses a task that can be run again, and all results come: ' + [...args, ...Object.values(env ?? {})].join(' '),
        async () => {
          await withJoblib(
            ['os-exit', '--once', watch.flag(), ...args],
            async (run) => {
              const { pool, task } = await untilLost(run)
              expect(await run.rescue(pool.id, { kind: 'retry', task })).toEqual([
                { done: true, text: expect.stringMatching(/is in the queue again/) as string },
              ])
              expect(await run.untilSaid('results')).toEqual([squares])
              await untilEnded(run)
            },
            env,
          )
        },
      )
    }
  })

  it('the lock that a killed worker held is released, and all results come', async () => {
    await withJoblib(['holder'], async (run) => {
      const { pool, verdict } = await run.untilVerdict('orphaned-queue-lock', ({ stuck }) => stuck)
      const [cause = ''] = await run.untilSaid('cause')
      expect(verdict).toMatchObject({
        pid: Number(cause.split(' ')[1]),
        confidence: 'certain',
        summary: expect.stringMatching(
          pattern(
            /was ended by SIGKILL while it held the lock of the task queue, so no worker can take a task;/,
            / \d+ tasks queued/,
          ),
        ) as string,
      })
      expect(await run.rescue(pool.id, { kind: 'release', lock: 'tasks' })).toMatchObject([{ done: true }])
      expect(await run.untilSaid('results')).toEqual([squares])
      await untilEnded(run)
    })
  })

  it('is not called stuck when all is well, nor when a task raises; its threads are none of our pools', async () => {
    await withJoblib(['healthy'], async (run) => {
      await run.untilPool('a pool in which a task takes its time', ({ workers }) =>
        workers.some(({ task }) => task?.label.startsWith('slowly(') === true),
      )
      await untilEnded(run)
      expect(run.said('results')).toEqual([squares])
      expect(run.said('raised')).toEqual(["of the program's own"])
      expect(run.said('threads')).toEqual(['[0, 1, 4]'])
      expect(run.said('slow')).toEqual(['[0, 1, 4]'])
      expect(run.stderr).toBe('')
      expect([...run.sightings.keys()]).toEqual([])
      expect(run.parts.map(({ name }) => name)).not.toContain(`joblib-pool.py:${run.said('line').join()}`)
    })
  })

  // Where joblib keeps large arrays, as it comes.
  const memory = '/dev/shm'
  it(
    'is killed, and its folder of large arrays goes with it: the helper that removes it is ' + 'the last to end',
    async () => {
      await watch.run('joblib-pool.py', { python: debians, args: ['patient'] }, async (run) => {
        const folders = (): string[] =>
          readdirSync(memory)
            .filter((name) => name.startsWith(`joblib_memmapping_folder_${run.pid}_`))
            .map((name) => join(memory, name))
        try {
          await until(
            'a folder for its arrays, and a worker',
            () => folders().length > 0 && run.pool?.workers.some(({ status }) => status === 'idle'),
            { seen: () => run.story() },
          )
          await watch.cli('kill', run.id)
          expect(await run.ended).toEqual({ code: null, signal: 'SIGKILL' })
          await until('the folder is removed', () => folders().length === 0, { seen: folders })
        } finally {
          for (const folder of folders()) rmSync(folder, { recursive: true })
        }
      })
    },
  )

  it('is not called stuck while it waits for the next items, which come slowly', { retry: 0 }, async () => {
    await withJoblib(['patient'], async (run) => {
      await untilEnded(run)
      expect(run.stuck.map(({ verdict: { code, summary } }) => `${code}: ${summary}`)).toEqual([])
      expect(run.said('results')).toEqual([squares])
    })
  })
})

const seen = ['no-daemon', 'own-process', 'inherited-queue']
const leftAlone = ['own-target', 'other-process', 'own-queue', 'late-queue', 'feeder', 'own-worker']

describePythons(
  oldestAndNewest,
  'a class that inherits from Pool, Python $version',
  (python) => {
    const method = python === newest ? 'fork' : 'spawn'
    it.each(seen)(`has its lost task told, and run no more it raises: %s, ${method}`, async (kind) => {
      await watch.run('pool-subclasses.py', { python, args: [kind, method, 'lost'] }, async (run) => {
        const { pool, verdict } = await run.untilVerdict('lost-task', ({ stuck, worker }) => stuck && worker !== null)
        const [cause = ''] = await run.untilSaid('cause')
        expect(verdict).toMatchObject({
          pid: Number(cause.split(' ')[1]),
          summary: expect.stringMatching(/task 3 run\(3\) was lost when/) as string,
        })
        expect(await run.rescue(pool.id, { kind: 'fail', task: verdict.task! })).toMatchObject([{ done: true }])
        expect(await run.ended).toEqual({ code: 1, signal: null })
        await until('the traceback', () => run.stderr.includes('unhang_observer.WorkerLost: task run(3) was lost'), {
          seen: () => run.stderr,
        })
      })
    })

    // Where nothing is known of the tasks, one that takes twice as long as a stuck one is nothing to talk of.
    it.each([...seen.map((kind) => [kind, 30_000] as const), ...leftAlone.map((kind) => [kind, 3000] as const)])(
      `goes on as ever, and is not called stuck: %s, ${method}`,
      { retry: 0 },
      async (kind, stuckAfterMs) => {
        await watch.run(
          'pool-subclasses.py',
          { python, args: [kind, method, 'healthy'], watch: { stuckAfterMs } },
          async (run) => {
            await run.untilPool(
              'a pool with its workers',
              ({ workers, name }) =>
                name.startsWith('pool-subclasses.py:') && (kind === 'other-process' || workers.length >= 3),
            )
            await untilEnded(run)
            expect(run.stuck.map(({ verdict }) => `${verdict.code}: ${verdict.summary}`)).toEqual([])
            expect(run.said('results')).toEqual([sixSquares])
            expect(run.said('again')).toEqual([sixSquares])
            expect(run.said('recycled')).toEqual(['[0, 1, 4, 9, 16, 25, 36, 49]'])
            expect(run.stderr).toBe('')
          },
        )
      },
    )

    it.each(leftAlone)(
      `and whose tasks nobody notes, is left alone when it waits: %s, ${method}`,
      { retry: 0 },
      async (kind) => {
        await watch.run(
          'pool-subclasses.py',
          { python, args: [kind, method, 'lost'], watch: { stuckAfterMs: 3000 } },
          async (run) => {
            await run.untilSaid('cause')
            // Longer than any rule waits that could be wrong about it.
            const until = Date.now() + 8000
            await run.untilPool('time has passed', () => Date.now() > until)
            expect(run.stuck.map(({ verdict }) => `${verdict.code}: ${verdict.summary}`)).toEqual([])
            expect(run.hasEnded).toBe(false)
          },
        )
      },
    )
  },
  { concurrent: true },
)
