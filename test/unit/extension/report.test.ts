import { describe, expect, test } from 'vitest'
import { poolReport } from '../../../src/extension/report/reportMarkdown'
import { poolIdOfSubject } from '../../../src/extension/report/subjects'
import { poolTooltip, workerTooltip } from '../../../src/extension/view/tooltips'
import { noCounts, noProgress, poolHeader, task, worker } from './samples'

const stuckWorker = worker({
  name: 'PoolWorker-2',
  status: 'busy',
  cpuPercent: 0,
  memoryBytes: 45_088_768,
  task: task({ label: 'crawl(*)', stuck: true, verdict: noProgress }),
})

describe('A pool’s report', () => {
  const text = poolReport(
    {
      name: 'Stubborn',
      pool: {
        header: poolHeader({ name: 'Stubborn', startedAt: 0, counts: { ...noCounts, running: 1, stuck: 1 } }),
        workers: new Map([['PoolWorker-2', stuckWorker]]),
      },
      failures: {
        total: 1,
        failures: [
          {
            taskId: 't',
            label: 'a|b',
            state: 'failed',
            message: 'two\nlines',
            worker: 'PoolWorker-1',
            pid: 7,
            exitCode: 3,
            signal: null,
            elapsedMs: 12,
            attempts: 2,
            stdoutPath: '/tmp/out',
            stderrPath: null,
          },
        ],
      },
      shutdowns: [
        {
          askedBy: 'user',
          reason: 'terminate',
          report: {
            subject: { id: 'pool-1', name: 'Stubborn' },
            startedAt: 0,
            durationMs: 230,
            issues: ['worker still alive: PoolWorker-2, pid=4211, ignores SIGTERM'],
            workers: [
              {
                name: 'PoolWorker-2',
                pid: 4211,
                sent: [{ signal: 'SIGTERM', atMs: 101, outcome: 'sent' }],
                foreseen: ['ignores SIGTERM'],
                outcome: 'alive',
              },
            ],
          },
        },
      ],
    },
    52_000,
  )

  test('reads as one document', () => {
    expect(text).toMatchInlineSnapshot(`
      "# Stubborn

      running · 1 busy · 1 stuck · 0 of 1 done

      - Id: \`pool-1\`
      - Kind: module
      - Started: 1970-01-01T00:00:00.000Z, running for 52 s

      ## Stuck and slow

      ### crawl(\\*)

      PoolWorker-2, pid 4211, 42 s: **no progress** (likely)

      It has not moved for 42 s.

      - CPU time since 42 s: 0 ms

      Terminate the worker.

      ## Failures (1)

      | Task | State  | Exit   | Worker           | Time  | Runs | Message   |
      | ---- | ------ | ------ | ---------------- | ----- | ---- | --------- |
      | a\\|b | failed | exit 3 | PoolWorker-1 (7) | 12 ms | 2    | two lines |

      Full output:

      - a\\|b: \`/tmp/out\`

      ## Workers

      | Worker       | Pid  | State                             | Tasks done |
      | ------------ | ---- | --------------------------------- | ---------- |
      | PoolWorker-2 | 4211 | pid 4211 · stuck 40 s · crawl(\\*) | 0          |

      ## Shutdown of Stubborn at 1970-01-01T00:00:00.000Z

      Asked by user: terminate. Took 230 ms.

      - **worker still alive: PoolWorker-2, pid=4211, ignores SIGTERM**

      | Process      | Pid  | Planned         | Sent              | Outcome | After |
      | ------------ | ---- | --------------- | ----------------- | ------- | ----- |
      | PoolWorker-2 | 4211 | ignores SIGTERM | SIGTERM at 101 ms | alive   |       |
      "
    `)
  })

  test('says so when only the shutdowns are left', () => {
    expect(poolReport({ name: 'Gone', pool: undefined, failures: undefined, shutdowns: [] }, 0)).toBe(
      '# Gone\n\nThe pool is no longer known to the host; its shutdowns are below.\n',
    )
  })
})

test('A shutdown of one worker belongs to its pool’s report', () => {
  expect([poolIdOfSubject('pool-x/PoolWorker-3'), poolIdOfSubject('pool-x')]).toEqual(['pool-x', 'pool-x'])
})

describe('A tooltip', () => {
  test('of a worker shows usage and the verdict with its evidence', () => {
    expect(workerTooltip(stuckWorker, 52_000)).toMatchInlineSnapshot(`
      "**PoolWorker-2** — pid 4211

      busy · 0 tasks done · up 51 s

      CPU 0 % · memory 43 MB

      **crawl(\\*)** — running · 42 s

      $(warning) **Stuck: no progress** (likely)

      It has not moved for 42 s.

      - CPU time since 42 s: 0 ms

      _Terminate the worker._"
    `)
  })

  test('of a pool shows what its last shutdown could not end', () => {
    expect(
      poolTooltip(poolHeader({ state: 'ended', endedAt: 3_000, issues: ['worker still alive: PoolWorker-3'] }), 9_000),
    ).toMatchInlineSnapshot(`
      "**Crawl** — ended · 1 issue

      Ran for 2 s.

      Issues of the last shutdown:
      - worker still alive: PoolWorker-3"
    `)
  })

  test('of a pool shows how busy its workers were and what its tasks took', () => {
    const runMs = { min: 1, mean: 40, p50: 12, p90: 90, p99: 140, max: 5_250 }
    const stats = {
      utilisation: 0.934,
      workersStarted: 4,
      functions: [
        { name: 'resize', module: null, runs: 120, runMs, waitMs: null },
        { name: 'later', module: null, runs: 0, runMs: null, waitMs: null },
      ],
    }
    expect(poolTooltip(poolHeader({ state: 'ended', endedAt: 3_000, stats }), 9_000)).toContain(
      ['Workers busy 93 % of their time.', '', '- resize: 120 runs, median 12 ms, p99 140 ms, max 5.2 s'].join('\n'),
    )
  })
})
