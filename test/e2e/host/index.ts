/**
 * The entry that VS Code's extension host calls (`extensionTestsPath`). Every `*.test.ts` beside it is bundled by the
 * harness (test/harness/extensionHost.mjs) and run here by mocha, with `describe` and `it`.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'node:util'
import Mocha from 'mocha'

/** In front of every line of ours, so that the harness can tell it from VS Code's own log. */
const lineMark = '[unhang-test] '

interface Report {
  passed: number
  failed: number
  pending: number
  failures: { title: string; message: string }[]
}

/** Runs the tests and rejects when one failed; the counts go to the file that UNHANG_TEST_REPORT names. */
export async function run(): Promise<void> {
  const report: Report = { passed: 0, failed: 0, pending: 0, failures: [] }
  Mocha.reporters.Base.consoleLog = (...values: unknown[]) => {
    for (const line of format(...values).split('\n')) console.log(lineMark + line)
  }
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: 60_000,
    reporter: 'spec',
    color: false,
    ...(process.env.UNHANG_TEST_GREP ? { grep: process.env.UNHANG_TEST_GREP } : {}),
  })
  for (const file of readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.test.js')) mocha.addFile(join(__dirname, file))
  }
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => {
      resolve()
    })
    runner.on('pass', () => report.passed++)
    runner.on('pending', () => report.pending++)
    runner.on('fail', (test: Mocha.Runnable, error: Error) => {
      report.failed++
      report.failures.push({ title: test.fullTitle(), message: error.stack ?? error.message })
    })
  })
  const reportFile = process.env.UNHANG_TEST_REPORT
  if (reportFile) {
    mkdirSync(dirname(reportFile), { recursive: true })
    writeFileSync(reportFile, JSON.stringify(report, undefined, 2))
  }
  if (report.failed > 0) throw new Error(`${report.failed} of ${report.failed + report.passed} tests failed.`)
}
