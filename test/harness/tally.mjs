import { readFileSync } from 'node:fs'

/** @typedef {{ title: string, message: string }} Failure */
/** A file of tests and how long it took. @typedef {{ file: string, ms: number }} Suite */
/**
 * What one stage of `npm test` found; `retried` are the tests that passed at the second attempt, with the message of
 * the first one; `skipped` are the titles of those that were not run.
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {Failure[]} failures
 * @property {Failure[]} [retried]
 * @property {string[]} [skipped]
 * @property {Suite[]} [suites]
 */

/** A busy machine makes one test in a thousand late; more than this in one run is a fault that hides. */
export const mostRetried = 3

/** A stage that is one check, and held. @returns {Tally} */
export const onePassed = () => ({ passed: 1, failed: 0, failures: [] })

/** A stage that is one check, and did not hold. @param {string} title @param {unknown} error @returns {Tally} */
export const oneFailed = (title, error) => ({
  passed: 0,
  failed: 1,
  failures: [{ title, message: error instanceof Error ? error.message : String(error) }],
})

/**
 * Several checks, each with what is wrong or nothing.
 * @param {string} stage
 * @param {{ check: string, problem: string | null }[]} checks
 * @returns {Tally}
 */
export function tallyChecks(stage, checks) {
  for (const { check, problem } of checks) console.log(problem ? `  ✗ ${check}: ${problem}` : `  ✓ ${check}`)
  const failures = checks.flatMap(({ check, problem }) =>
    problem ? [{ title: `${stage} > ${check}`, message: problem }] : [],
  )
  return { passed: checks.length - failures.length, failed: failures.length, failures }
}

/**
 * Reads what vitest's JSON reporter wrote. A file that could not even be loaded counts as one failure, and so does a
 * run that failed without a failed test (an error outside any test, or no test at all).
 * @param {string} file
 * @param {boolean} exitedWithZero
 * @returns {Tally}
 */
export function tallyVitest(file, exitedWithZero) {
  /**
   * @type {{ numPassedTests: number, testResults: { name: string, status: string, message?: string, startTime?: number,
   * endTime?: number, assertionResults: { status: string, fullName: string,
   * failureMessages?: string[] | null }[] }[] }}
   */
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return oneFailed('vitest', `wrote no report: ${error instanceof Error ? error.message : String(error)}`)
  }
  const failures = []
  /** @type {Failure[]} */
  const retried = []
  /** @type {string[]} */
  const skipped = []
  for (const result of report.testResults) {
    for (const test of result.assertionResults) {
      if (test.status === 'passed' && test.failureMessages?.length)
        retried.push({ title: test.fullName, message: test.failureMessages.join('\n') })
      if (test.status === 'skipped' || test.status === 'pending') skipped.push(test.fullName)
    }
    const failed = result.assertionResults.filter(({ status }) => status === 'failed')
    for (const test of failed) failures.push({ title: test.fullName, message: (test.failureMessages ?? []).join('\n') })
    if (failed.length === 0 && result.status === 'failed')
      failures.push({ title: result.name, message: result.message ?? 'could not be run' })
  }
  if (failures.length === 0 && !exitedWithZero)
    failures.push({ title: 'vitest', message: 'ended as failed without a failed test; its output above says why' })
  return {
    passed: report.numPassedTests,
    failed: failures.length,
    failures,
    ...(retried.length > 0 ? { retried } : {}),
    ...(skipped.length > 0 ? { skipped } : {}),
    suites: report.testResults.flatMap(({ name, startTime, endTime }) =>
      startTime === undefined || endTime === undefined ? [] : [{ file: name, ms: endTime - startTime }],
    ),
  }
}

/**
 * A failure of the run as a whole when too many of its tests needed a second attempt.
 * @param {Tally[]} tallies of all stages
 * @returns {Tally | undefined}
 */
export function tallyRetries(tallies) {
  const retried = tallies.flatMap((tally) => tally.retried ?? [])
  if (retried.length <= mostRetried) return undefined
  return oneFailed(
    `no more than ${mostRetried} tests need a second attempt`,
    `${retried.length} did:\n${retried.map(({ title }) => title).join('\n')}`,
  )
}

/**
 * The suites that took longest, the slowest first.
 * @param {Tally[]} tallies
 * @returns {Suite[]}
 */
export function slowestSuites(tallies, most = 10) {
  return tallies
    .flatMap((tally) => tally.suites ?? [])
    .sort((one, other) => other.ms - one.ms)
    .slice(0, most)
}

/**
 * Skipped tests by the reason that their names or their suites' names give, as lines: one for each test, or one for all
 * of a reason that many share.
 * @param {string[]} titles
 * @returns {string[]}
 */
export function skippedByReason(titles, most = 10) {
  /** @type {Map<string, string[]>} */
  const byReason = new Map()
  for (const title of titles) {
    const reason = /\(skipped: (.*?)\)/.exec(title)?.[1] ?? 'no reason is given'
    byReason.set(reason, [...(byReason.get(reason) ?? []), title])
  }
  return [...byReason].flatMap(([reason, ofReason]) =>
    ofReason.length > most ? [`${ofReason.length} tests (skipped: ${reason})`] : ofReason,
  )
}
