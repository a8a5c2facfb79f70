import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { describePythons, noPython, oldestAndNewest } from '../runtimes/pythons'
import { until, Watch, type WatchedRun } from './watch'

/**
 * No false alarm: a minute of ordinary work, a score of programs side by side in one host, on two cores as on a loaded
 * machine; and meanwhile the fixtures of the verdicts, without their bugs. Looked at ten times a second.
 */

vi.setConfig({ maxConcurrency: 40, testTimeout: 180_000, hookTimeout: 90_000 })
// A false alarm that comes once in two runs is one.
/** What is here of the oldest and the newest takes turns. */
const pythons = noPython ? oldestAndNewest : oldestAndNewest.filter(({ missing }) => missing === undefined)

const seconds = 60

let watch: Watch
beforeAll(async () => {
  watch = await Watch.open()
})
afterAll(async () => {
  await watch.close()
})

/** Each with one start method; the Pythons take turns. */
const ordinary: readonly (readonly [what: string, method: string])[] = [
  ['recycling', 'fork'],
  ['recycling', 'forkserver'],
  ['slow-consumer', 'fork'],
  ['slow-producer', 'spawn'],
  ['idle', 'fork'],
  ['idle', 'spawn'],
  ['never-used', 'forkserver'],
  ['computing', 'fork'],
  ['executor', 'spawn'],
  ['executor', 'fork'],
  ['short-tasks', 'fork'],
  ['big-results', 'forkserver'],
  ['nested', 'fork'],
  ['nested', 'spawn'],
  ['threads-and-locks', 'fork'],
  ['subprocesses', 'fork'],
  ['callbacks', 'spawn'],
  ['busy-program', 'fork'],
  ['closed-and-joined', 'forkserver'],
  ['left-early', 'fork'],
  ['plain-processes', 'fork'],
  ['patient-processes', 'fork'],
  ['patient-processes', 'spawn'],
  ['own-signal-handlers', 'fork'],
  ['manager', 'spawn'],
  ['with-timeouts', 'fork'],
  ['beside-threads', 'fork'],
  ['slow-reader', 'fork'],
  ['slow-pager', 'spawn'],
  ['bounded-queue', 'fork'],
  ['bounded-queue', 'spawn'],
  ['nested-before', 'fork'],
  ['joined-by-turns', 'spawn'],
  ['polled-by-turns', 'fork'],
  ['reader-with-commands', 'fork'],
  ['ended-tidily', 'fork'],
  ['profiled', 'fork'],
  ['by-command', 'fork'],
  ['patient-callbacks', 'fork'],
  ['now-and-then', 'spawn'],
  ['until-interrupted', 'fork'],
]

const withoutTheirBugs: readonly (readonly [script: string, ...args: string[]])[] = [
  ['lost-task.py', 'fork', 'sys-exit', 'map'],
  ['lost-task.py', 'spawn', 'sys-exit', 'imap'],
  ['lost-task.py', 'forkserver', 'sys-exit', 'chunks'],
  ['orphaned-queue-lock.py', 'fork'],
  ['orphaned-result-lock.py', 'fork'],
  ['oom-killed.py', 'fork'],
  ['result-thread-dead.py', 'fork'],
  ['fork-with-threads.py', 'task'],
  ['fork-with-threads.py', 'initializer'],
  ['no-live-workers.py', 'fork'],
  ['no-live-workers.py', 'spawn'],
  ['crash-loop.py', 'fork', 'raises'],
  ['self-wait.py', 'pool'],
  ['self-wait.py', 'executor'],
  ['self-wait.py', 'callback'],
  ['sigterm-ignored.py', 'fork'],
  ['uninterruptible.py', 'fork'],
  ['zombie.py', 'fork'],
  ['unserializable-result.py', 'fork'],
  ['output-pipe-full.py', 'spawn', 'connection'],
  ['no-progress.py', 'fork'],
  ['no-progress.py', 'fork', 'initializer'],
  ['no-progress.py', 'fork', 'callback'],
  ['result-thread-dead.py', 'fork', 'callback'],
  ...[
    'two-locks',
    'killed-holder',
    'event',
    'barrier',
    'no-end-mark',
    'task-done',
    'result',
    'pipe',
    'fork-with-threads',
  ].map((how) => ['standstill.py', 'fork', how] as const),
]

/** Slow readers of full queues: each takes its time for a dozen seconds. */
const emptiedSlowly: readonly (readonly [what: string, method: string])[] = [
  ['process', 'fork'],
  ['process', 'spawn'],
  ['process', 'forkserver'],
  ['bounded', 'fork'],
  ['threaded', 'spawn'],
  ['threaded', 'forkserver'],
  ['pool', 'fork'],
  ['executor', 'spawn'],
  ['recycled', 'fork'],
  ['program', 'fork'],
  ['joinable', 'fork'],
  ['joinable', 'spawn'],
]

function alarms(run: WatchedRun): string[] {
  return run.stuck.map(({ pool, verdict }) => {
    const workers = pool.workers.map(({ name, pid, status, task }) => `${name} ${pid} ${status} ${task?.label ?? ''}`)
    const evidence = verdict.evidence.map(({ what, value }) => `${what}: ${value}`).join('; ')
    return (
      `${verdict.code}: ${verdict.summary} (${evidence}) ` +
      `${pool.state}: ${workers.join(', ')}; ${run.hasEnded ? 'ended' : 'runs'}`
    )
  })
}

/** What was said is in the message itself: a report keeps that, and not the difference. */
function expectNoAlarm(run: WatchedRun, script = 'ordinary.py'): void {
  const said = alarms(run)
  expect(said, `${script} was called stuck:\n${said.join('\n')}`).toEqual([])
}

describe.skipIf(noPython).concurrent('a minute of ordinary work is never called stuck', () => {
  for (const [index, [what, method]] of ordinary.entries()) {
    const python = pythons[index % pythons.length]!
    it(`${what}, ${method}, Python ${python.version}`, async () => {
      const run = await watch.start('ordinary.py', { python, args: [what, method, String(seconds)] })
      try {
        const ended = await Promise.race([
          run.ended,
          until('the end of the program', () => run.hasEnded, { withinMs: 150_000, seen: () => run.story() }),
        ])
        expectNoAlarm(run)
        expect(ended, JSON.stringify(run.story())).toEqual({ code: 0, signal: null })
        expect(await run.untilSaid('done')).toEqual([''])
      } finally {
        await run.end()
      }
    })
  }
})

describePythons(
  oldestAndNewest,
  'the same programs without their bugs, Python $version',
  (python) => {
    it('are never called stuck', async () => {
      // One after the other: there is enough going on.
      for (const [script, ...args] of withoutTheirBugs) {
        const run = await watch.start(script, { python, args: [...args, '--healthy'] })
        try {
          await until(`the end of ${script}`, () => run.hasEnded, { withinMs: 60_000, seen: () => run.story() })
          expectNoAlarm(run, script)
          expect(await run.ended, JSON.stringify(run.story())).toEqual({ code: 0, signal: null })
          expect(await run.untilSaid('results'), script).toHaveLength(1)
        } finally {
          await run.end()
        }
      }
    })
  },
  { concurrent: true },
)

describe.skipIf(noPython).concurrent('a full queue that somebody empties slowly is never called stuck', () => {
  for (const [index, [what, method]] of emptiedSlowly.entries()) {
    const python = pythons[index % pythons.length]!
    it(`${what}, ${method}, Python ${python.version}`, async () => {
      const run = await watch.start('queue-not-drained.py', { python, args: [method, what, '--healthy'] })
      try {
        await until('the end of the program', () => run.hasEnded, { withinMs: 120_000, seen: () => run.story() })
        expectNoAlarm(run)
        expect(await run.ended, JSON.stringify(run.story())).toEqual({ code: 0, signal: null })
        expect(await run.untilSaid('results')).toHaveLength(1)
      } finally {
        await run.end()
      }
    })
  }
})
