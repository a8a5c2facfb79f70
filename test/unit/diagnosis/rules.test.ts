import { describe, expect, it } from 'vitest'
import { crashLoop, durationInWords, exitInWords, judgeRunningTask, lostTask, orphaned } from '../../../src/diagnosis'
import type { LostTaskFacts, RunningTaskFacts } from '../../../src/diagnosis'

const running: RunningTaskFacts = {
  label: 'resize(a.png)',
  worker: 'PoolWorker-1',
  pid: 4711,
  ageMs: 31_000,
  stuckAfterMs: 30_000,
  quietMs: 15_000,
  cpuMs: 0,
  watchedMs: 16_000,
  outputBytes: 0,
  state: 'sleeping',
  stateSeenTimes: 5,
  descendants: [],
  survivedTerminate: null,
}
const codeOf = (facts: Partial<RunningTaskFacts>): [string | undefined, boolean] => {
  const { verdict, stuck } = judgeRunningTask({ ...running, ...facts })
  return [verdict?.code, stuck]
}

describe('a running task', () => {
  it('has no verdict before the threshold', () => {
    expect(codeOf({ ageMs: 29_000 })).toEqual([undefined, false])
  })
  it('is stuck when it is over the threshold and has been quiet for half of it', () => {
    expect(codeOf({})).toEqual(['no-progress', true])
  })
  it('is slow while it moved within that time', () => {
    expect(codeOf({ quietMs: 14_000 })).toEqual(['slow', false])
  })
  it('is slow for ever while it moves', () => {
    expect(codeOf({ ageMs: 3_600_000, quietMs: 100 })).toEqual(['slow', false])
  })
  it('is stuck when it is stopped, whatever it did before, but not before the threshold', () => {
    expect(codeOf({ state: 'stopped', quietMs: 0 })).toEqual(['stopped', true])
    expect(codeOf({ state: 'stopped', ageMs: 20_000 })).toEqual(['stopped', false])
  })
  it('is a zombie when the system says so', () => {
    expect(codeOf({ state: 'zombie' })).toEqual(['zombie', true])
  })
  it('is uninterruptible only when it was seen so several times, without movement', () => {
    expect(codeOf({ state: 'uninterruptible', stateSeenTimes: 3 })).toEqual(['uninterruptible', true])
    expect(codeOf({ state: 'uninterruptible', stateSeenTimes: 2 })).toEqual(['no-progress', true])
    expect(codeOf({ state: 'uninterruptible', stateSeenTimes: 9, quietMs: 10 })).toEqual(['slow', false])
  })
  it('that survived SIGTERM is not stuck for that, but says so', () => {
    expect(codeOf({ survivedTerminate: ['ignores SIGTERM'], quietMs: 0 })).toEqual(['sigterm-ignored', false])
  })
  it('that survived SIGTERM and does nothing is stuck, and the advice is SIGKILL', () => {
    const { verdict } = judgeRunningTask({ ...running, survivedTerminate: ['ignores SIGTERM'] })
    expect(verdict).toMatchObject({ code: 'no-progress', advice: expect.stringContaining('SIGKILL') as unknown })
    expect(verdict!.evidence).toContainEqual({ what: 'SIGTERM was sent', value: 'ignores SIGTERM' })
  })
  it('names the idle processes below it', () => {
    const { verdict } = judgeRunningTask({ ...running, descendants: [{ pid: 5, command: 'sleep', state: 'sleeping' }] })
    expect(verdict!.evidence.map(({ value }) => value)).toContain('sleep (pid 5)')
  })
})

describe('a lost task', () => {
  const lost: LostTaskFacts = {
    label: 'resize(a.png)',
    worker: 'PoolWorker-1',
    pid: 4711,
    exitCode: null,
    signal: 'SIGKILL',
    elapsedMs: 12_300,
    endedByUs: null,
    uncaught: null,
  }
  it('by a SIGKILL that was not ours points at memory', () => {
    expect(lostTask(lost)).toMatchObject({
      code: 'lost-task',
      summary: 'PoolWorker-1 ended (exit -9 (SIGKILL)) before resize(a.png) was done.',
      advice: expect.stringContaining('memory') as unknown,
    })
  })
  it('by us says who asked', () => {
    const { evidence } = lostTask({ ...lost, endedByUs: { askedBy: 'user', reason: 'Kill Worker' } })
    expect(evidence).toContainEqual({ what: 'our kill ledger', value: 'ended by us: Kill Worker (asked by user)' })
  })
  it('by process.exit() says so, and by an uncaught error names it', () => {
    expect(lostTask({ ...lost, signal: null, exitCode: 0 }).advice).toContain('process.exit()')
    expect(lostTask({ ...lost, signal: null, exitCode: 1, uncaught: 'TypeError: x' }).evidence).toContainEqual({
      what: 'uncaught error',
      value: 'TypeError: x',
    })
  })
})

describe('a crash loop', () => {
  const facts = {
    pool: 'tasks.js',
    startsInARow: 6,
    exits: ['exit 1', 'exit 1'],
    loadError: null,
    stderrTail: 'a\nError: no database',
  }
  it('is named with exits and the last line of stderr', () => {
    expect(crashLoop(facts).summary).toBe(
      '6 workers of tasks.js in a row ended before they were ready (exit 1): Error: no database',
    )
  })
  it('is named with the error of the module when that is known', () => {
    expect(crashLoop({ ...facts, loadError: 'SyntaxError: x' }).summary).toContain(': SyntaxError: x')
  })
})

describe('an orphan', () => {
  it('says that the host it outlived has died, and which worker it was', () => {
    expect(orphaned({ worker: 'PoolWorker-1', pid: 5, startedAt: 0, leftBy: null })).toMatchObject({
      code: 'orphaned',
      summary: 'The host that started this process has died; nobody reads its output or waits for it.',
      evidence: [
        { what: 'process', value: 'pid 5, the one that was started as PoolWorker-1' },
        { what: 'started', value: '1970-01-01T00:00:00.000Z' },
      ],
    })
  })
  it('that a worker had started is named with that worker', () => {
    expect(orphaned({ worker: 'sleep', pid: 6, startedAt: 0, leftBy: 'PoolWorker-1' }).summary).toBe(
      'PoolWorker-1 of a host that has died left this process behind.',
    )
  })
})

describe('words', () => {
  it.each([
    [450, '450 ms'],
    [1500, '1.5 s'],
    [12_300, '12 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
  ])('%i ms is %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words)
  })
  it.each([
    [1, null, 'exit 1'],
    [null, 'SIGKILL', 'exit -9 (SIGKILL)'],
    [null, 'SIGSEGV', 'exit -11 (SIGSEGV)'],
    [null, null, 'exit unknown'],
  ] as const)('%j, %j is %s', (code, signal, words) => {
    expect(exitInWords(code, signal)).toBe(words)
  })
})
