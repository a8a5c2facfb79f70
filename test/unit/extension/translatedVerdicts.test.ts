import * as l10n from '@vscode/l10n'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verdictTemplates } from '../../../src/build/verdictTemplates.mjs'
import {
  judgeProgramPool,
  judgeRunningTask,
  leftBehind,
  lostTask,
  orphaned,
  unserializableResult,
  type ProgramPoolFacts,
  type RunningTaskFacts,
  type Verdict,
} from '../../../src/diagnosis'
import { verdictLines } from '../../../src/extension/tasks/outcome'
import { stuckMessage } from '../../../src/extension/notify/stuckMessage'
import { verdictMessage } from '../../../src/extension/notify/verdictMessage'
import { poolReport } from '../../../src/extension/report/reportMarkdown'
import { poolTooltip, workerTooltip } from '../../../src/extension/view/tooltips'
import { verdictSnapshot } from '../../../src/host/terms/verdictSnapshot'
import type { PoolVerdictSnapshot } from '../../../src/protocol'
import { verdictTexts } from '../../../src/words'
import { anyPool } from '../diagnosis/watchedPools/anyPool'
import {
  busy,
  dead,
  frame,
  killed,
  ownLockWait,
  pool,
  reader,
  task,
  wait,
  worker,
} from '../diagnosis/watchedPools/facts'
import * as samples from './samples'

/** A bundle in a language without Latin letters: each word of a template becomes `ж`. */
const pseudoBundle = Object.fromEntries(
  verdictTemplates().map((template) => [template, template.replace(/[A-Za-z]+/g, 'ж')]),
)

beforeAll(() => {
  l10n.config({ contents: pseudoBundle })
})
afterAll(() => {
  l10n.config({ contents: {} })
})

/** Names of the facts below, and code that no language translates. */
const untranslated = new Set(
  [
    'train.py ForkPoolWorker PoolWorker run map imap submit fork spawn SIGKILL SIGTERM SIGSEGV pipe futex_do_wait',
    'pool.py _base.py get result x sleep stdout stderr _handle_results _handle_workers _handle_tasks',
    'TerminatedWorkerError BrokenProcessPool user Kill Error 2026-12-01T00:00:00Z',
  ].flatMap((line) => line.match(/[A-Za-z]+/g) ?? []),
)

/** @param places Where the program waits, in the words of its observer. */
function wordsLeft(verdict: Verdict, ...places: readonly (string | null | undefined)[]): string[] {
  const { summary, evidence, advice } = verdictTexts(verdictSnapshot(verdict))
  return [summary, advice, ...evidence.flatMap(({ what, value }) => [what, value])]
    .map((text) => places.reduce<string>((rest, place) => rest.replaceAll(place ?? 'ж', ''), text))
    .flatMap((text) => text.replace(/\b0x[0-9a-f]+/g, '').match(/[A-Za-z]+/g) ?? [])
    .filter((word) => !untranslated.has(word))
}

const running: RunningTaskFacts = {
  label: 'run(7)',
  worker: 'PoolWorker-1',
  pid: 4711,
  ageMs: 31_000,
  stuckAfterMs: 30_000,
  quietMs: 31_000,
  cpuMs: 0,
  watchedMs: 16_000,
  outputBytes: 0,
  state: 'sleeping',
  stateSeenTimes: 5,
  descendants: [],
  survivedTerminate: null,
}
const ofTask = (facts: Partial<RunningTaskFacts>): Verdict[] => {
  const { verdict } = judgeRunningTask({ ...running, ...facts })
  return verdict === null ? [] : [verdict]
}
const ofPool = (facts: Parameters<typeof pool>[0]): readonly Verdict[] => judgeProgramPool(pool(facts))

const poolStack = [frame('/usr/lib/python3.11/multiprocessing/pool.py', 'get'), frame('/home/x/train.py', 'run', 12)]
const quiet = { state: 'sleeping', quietMs: 90_000, waitsMs: 90_000 } as const
const examples: Record<string, readonly Verdict[]> = {
  'lost-task': ofPool({ workers: [dead(3), reader(4)] }),
  'orphaned-queue-lock': ofPool({
    queued: 4,
    workers: [dead(3, killed, { task: null, holds: ['tasks'] }), worker(4), worker(5)],
  }),
  'oom-killed': ofPool({ workers: [dead(3, { ...killed, oomKills: 1 })] }),
  'result-thread-dead': ofPool({ threads: { workers: true, tasks: true, results: false }, workers: [reader(1)] }),
  'fork-with-threads': ofPool({ workers: [busy(1, { ...quiet, wait: ownLockWait(), parentThreadsAtStart: 3 })] }),
  'output-pipe-full': ofPool({ workers: [busy(1, { ...quiet, wait: wait('pipe-write', { descriptor: 1 }) })] }),
  'sigterm-ignored': ofPool({ workers: [busy(1, { sigterm: 'ignored' })] }),
  stopped: ofPool({ workers: [busy(1, { state: 'stopped' })] }),
  uninterruptible: ofPool({ workers: [busy(1, { ...quiet, state: 'uninterruptible' })] }),
  zombie: ofPool({
    workers: [dead(1, { ...killed, agoMs: 9000, uncollected: true }, { state: 'zombie', task: null })],
  }),
  orphaned: [
    orphaned({ worker: 'PoolWorker-1', pid: 5, startedAt: 0, leftBy: null }),
    ...leftBehind({
      program: 'train.py',
      pid: 4700,
      exit: { id: 'exit {0}', args: [1] },
      endedByItself: true,
      agoMs: 1500,
      workers: [{ name: 'sleep', pid: 4711, isWorker: false }],
    }),
  ],
  'no-live-workers': ofPool({ queued: 4, workers: [] }),
  'crash-loop': ofPool({
    queued: 4,
    startMethod: 'spawn',
    exitsBeforeReady: Array.from({ length: 6 }, () => ({ id: 'exit {0}', args: [1] })),
  }),
  'self-wait': ofPool({ workers: [busy(1, { ...quiet, wait: ownLockWait(), stack: poolStack })] }),
  'unserializable-result': [
    ...ofPool({ workers: [reader(1, { unpicklableResults: 2 })] }),
    unserializableResult({ label: 'run(7)', detail: 'Error' }),
  ],
  'no-progress': [
    ...ofPool({ workers: [busy(1, { ...quiet, task: task(1, { runningMs: 90_000 }), wait: wait('sleep') })] }),
    ...ofTask({ survivedTerminate: ['ignores SIGTERM', 'traced by pid 7', 'stopped', 'uninterruptible', 'zombie'] }),
    ...ofTask({ descendants: [{ pid: 5, command: 'sleep', state: 'sleeping' }] }),
  ],
  slow: [...ofPool({ workers: [busy(1, { task: task(1, { runningMs: 90_000 }) })] }), ...ofTask({ quietMs: 0 })],
}

describe('with a translated bundle', () => {
  it.each(Object.entries(examples))('no English word of a verdict %s is left', (code, verdicts) => {
    expect(verdicts.map((verdict) => verdict.code)).toContain(code)
    for (const verdict of verdicts) {
      const { summary, advice } = verdictTexts(verdictSnapshot(verdict))
      expect(summary).toContain('ж')
      expect(advice).toContain('ж')
      expect(wordsLeft(verdict, pool().parent.waitsIn), verdict.summary).toEqual([])
    }
  })

  // Has the time of the other properties: the machine may be busy.
  it('no English word is left, whatever the facts of a pool', () => {
    fc.assert(
      fc.property(anyPool.map(withoutEnglishFacts), (facts) => {
        for (const verdict of judgeProgramPool(facts))
          expect(wordsLeft(verdict, facts.parent.waitsIn, facts.callback?.at), verdict.summary).toEqual([])
      }),
      { numRuns: 1000 },
    )
  }, 60_000)

  it.each<[string, Verdict[]]>([
    [
      'a running task',
      ['stopped', 'zombie', 'uninterruptible'].flatMap((state) => ofTask({ state: state as 'zombie' })),
    ],
    ['a task that survived SIGTERM', ofTask({ survivedTerminate: [], quietMs: 0 })],
    [
      'a lost task',
      [null, 'SIGKILL' as const, 'SIGSEGV' as const].flatMap((signal) =>
        [null, 'Error'].map((uncaught) =>
          lostTask({
            label: 'run(7)',
            worker: 'PoolWorker-1',
            pid: 4711,
            exitCode: signal === null ? 1 : null,
            signal,
            elapsedMs: 100,
            endedByUs: null,
            uncaught,
          }),
        ),
      ),
    ],
  ])('no English word of a verdict on %s is left', (_, verdicts) => {
    expect(verdicts.length).toBeGreaterThan(0)
    for (const verdict of verdicts) expect(wordsLeft(verdict), verdict.summary).toEqual([])
  })

  describe('the translated sentence', () => {
    const verdict: PoolVerdictSnapshot = { ...samples.lostTask(), ...verdictSnapshot(examples['lost-task']![0]!) }
    const header = samples.watchedPool({ verdicts: [verdict] })
    const stuck = samples.worker({
      name: 'ForkPoolWorker-3',
      status: 'busy',
      task: samples.task({ label: 'run(3)', stuck: true, verdict }),
    })
    const record = { header, workers: new Map([[stuck.name, stuck]]) }
    const summary = 'train.py:42 ж ж ж ж: ж 3 run(3) ж ж ж ForkPoolWorker-3'
    const advice = 'ж: ж ж ж (map() ж ж) ж ж ж ж.'

    it.each<[string, () => string]>([
      ['of a pool is in its hover', () => poolTooltip(header, 0)],
      ['of a task is in its hover', () => workerTooltip(stuck, 0)],
      ['of a pool is in the output of its task', () => verdictLines(verdict).join('\n')],
    ])('%s, with the advice', (_, text) => {
      expect(plain(text())).toContain(summary)
      expect(plain(text())).toContain(advice)
    })
    it('is in the report, for the pool and for the task', () => {
      const report = plain(poolReport({ name: 'x', pool: record, failures: undefined, shutdowns: [] }, 0))
      expect(report.split(summary)).toHaveLength(3)
      expect(report.split(advice)).toHaveLength(3)
    })
    it('is in the notifications', () => {
      expect(verdictMessage([{ poolId: header.id, verdict }], () => header.name)).toContain(summary)
      expect(stuckMessage([{ pool: record, worker: stuck }])).toContain(summary)
    })
    it('is replaced by the English one of a host that sends no messages', () => {
      const { messages, ...older } = verdict
      expect(messages).toBeDefined()
      expect(verdictTexts(older)).toEqual({
        summary: verdict.summary,
        evidence: verdict.evidence,
        advice: verdict.advice,
      })
    })
  })
})

/** Markdown without its escapes. */
const plain = (markdown: string): string => markdown.replace(/\\(?=[^\w\s])/g, '').replace(/&nbsp;/g, ' ')

/** As a host has them: exits are messages, and a label is no English word. */
function withoutEnglishFacts(facts: ProgramPoolFacts): ProgramPoolFacts {
  return {
    ...facts,
    workers: facts.workers.map((one) => ({
      ...one,
      task: one.task && { ...one.task, label: one.task.label.replace('task ', 'run ') },
    })),
    exitsBeforeReady: facts.exitsBeforeReady.map((_, code) => ({ id: 'exit {0}', args: [code] })),
  }
}
