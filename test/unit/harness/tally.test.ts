import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { skippedByReason, slowestSuites, tallyRetries, tallyVitest, type Tally } from '../../harness/tally.mjs'

describe('counting a vitest run', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unhang-tally-'))
    file = join(folder, 'report.json')
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const write = (numPassedTests: number, ...testResults: unknown[]) => {
    writeFileSync(file, JSON.stringify({ numPassedTests, testResults }))
  }

  test('takes passed and failed tests from the report', () => {
    write(2, {
      name: 'a.test.ts',
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'x' },
        { status: 'failed', fullName: 'y', failureMessages: ['expected 1'] },
      ],
    })
    expect(tallyVitest(file, false)).toEqual({
      passed: 2,
      failed: 1,
      failures: [{ title: 'y', message: 'expected 1' }],
      suites: [],
    })
  })

  test('names tests that passed at the second attempt, which count as passed', () => {
    write(2, {
      name: 'a.test.ts',
      status: 'passed',
      assertionResults: [
        { status: 'passed', fullName: 'x', failureMessages: [] },
        { status: 'passed', fullName: 'y', failureMessages: ['expected 1'] },
      ],
    })
    expect(tallyVitest(file, true)).toEqual({
      passed: 2,
      failed: 0,
      failures: [],
      retried: [{ title: 'y', message: 'expected 1' }],
      suites: [],
    })
  })

  test('names tests that were skipped, which count as neither', () => {
    write(1, {
      name: 'a.test.ts',
      status: 'passed',
      assertionResults: [
        { status: 'passed', fullName: 'x' },
        { status: 'skipped', fullName: 'y (skipped: ninja is not installed)' },
      ],
    })
    expect(tallyVitest(file, true)).toEqual({
      passed: 1,
      failed: 0,
      failures: [],
      skipped: ['y (skipped: ninja is not installed)'],
      suites: [],
    })
  })

  test('counts a file that could not be loaded as a failure', () => {
    write(0, { name: 'a.test.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] })
    expect(tallyVitest(file, false)).toMatchObject({
      failed: 1,
      failures: [{ title: 'a.test.ts', message: 'Cannot find module' }],
    })
  })

  test('counts a run that failed without a failed test as a failure', () => {
    write(3, { name: 'a.test.ts', status: 'passed', assertionResults: [] })
    expect(tallyVitest(file, false)).toMatchObject({ passed: 3, failed: 1 })
    expect(tallyVitest(file, true)).toMatchObject({ passed: 3, failed: 0 })
  })

  test('knows how long each file took', () => {
    write(1, { name: 'a.test.ts', status: 'passed', startTime: 1000, endTime: 3500, assertionResults: [] })
    expect(tallyVitest(file, true).suites).toEqual([{ file: 'a.test.ts', ms: 2500 }])
  })

  test('counts a run without a report as a failure', () => {
    expect(tallyVitest(join(folder, 'none.json'), true)).toMatchObject({ passed: 0, failed: 1 })
  })
})

const tally = (changes: Partial<Tally>): Tally => ({ passed: 1, failed: 0, failures: [], ...changes })

describe('second attempts', () => {
  const retried = (...titles: string[]) => tally({ retried: titles.map((title) => ({ title, message: 'late' })) })

  test('of three tests in all stages are let pass', () => {
    expect(tallyRetries([retried('a', 'b'), tally({}), retried('c')])).toBeUndefined()
  })

  test('of four tests fail the run, and are named', () => {
    const found = tallyRetries([retried('a', 'b'), retried('c', 'd')])
    expect(found).toMatchObject({ passed: 0, failed: 1 })
    expect(found?.failures[0]?.message).toBe('4 did:\na\nb\nc\nd')
  })
})

describe('the slowest suites', () => {
  test('are those of all stages, the slowest first', () => {
    const suites = [
      tally({
        suites: [
          { file: 'a', ms: 1 },
          { file: 'b', ms: 3 },
        ],
      }),
      tally({ suites: [{ file: 'c', ms: 2 }] }),
    ]
    expect(slowestSuites(suites, 2).map(({ file }) => file)).toEqual(['b', 'c'])
  })
})

describe('skipped tests', () => {
  test('are named one by one, and counted where many have one reason', () => {
    const without = (n: number) => `Python 3.9 (skipped: no Python 3.9 was found) test ${n}`
    expect(skippedByReason([without(1), without(2), without(3), 'y (skipped: ninja is not installed)'], 2)).toEqual([
      '3 tests (skipped: no Python 3.9 was found)',
      'y (skipped: ninja is not installed)',
    ])
  })
})
