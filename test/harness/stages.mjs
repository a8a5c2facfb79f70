// The stages of `npm test`, one after another. Each says how many of its tests passed and failed; all of them run, even
// if an earlier one failed (only without a build is there nothing to test).
import { mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CommandFailedError, endCommandsOnInterrupt, onInterrupt, run } from './commands.mjs'
import { installDependencies } from './dependencies.mjs'
import { MarkedRun } from './leaks.mjs'
import { artifactsFolder, repositoryRoot } from './paths.mjs'
import { say, seconds } from './steps.mjs'
import {
  oneFailed,
  onePassed,
  skippedByReason,
  slowestSuites,
  tallyChecks,
  tallyRetries,
  tallyVitest,
} from './tally.mjs'
import { toolPath } from './tools.mjs'

/** @typedef {import('./tally.mjs').Tally} Tally */
/** @typedef {{ name: string, needed?: boolean, body: (run: MarkedRun) => Promise<Tally> }} Stage */

/**
 * The longest stage takes some ten minutes, several times that on a busy machine; tests end on their own long before.
 * This ends a stage that hangs, so that the rest still runs.
 */
const stageTimeoutMs = 60 * 60_000
const reportsFolder = join(artifactsFolder, 'reports')

/** @param {string} title @param {() => Promise<unknown>} body @returns {Promise<Tally>} */
async function single(title, body) {
  try {
    await body()
    return onePassed()
  } catch (error) {
    if (error instanceof Error) console.error(error.message)
    return oneFailed(title, error)
  }
}

/**
 * @param {string} project its name, or the beginning of several with `*`
 * @param {MarkedRun} marked
 * @param {NodeJS.ProcessEnv} [extra]
 * @returns {Promise<Tally>}
 */
async function vitest(project, marked, extra = {}) {
  const report = join(reportsFolder, `${project.replace('*', '')}.json`)
  rmSync(report, { force: true })
  const args = [
    'run',
    '--config',
    'test/vitest.config.mts',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  try {
    await run(toolPath('vitest'), args, {
      cwd: repositoryRoot,
      env: { ...marked.environment, ...extra },
      show: true,
      timeoutMs: stageTimeoutMs,
    })
    return tallyVitest(report, true)
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error
    // Ended for taking too long: whatever was written is of no use.
    if (error.exitCode === null) return oneFailed(project, error)
    return tallyVitest(report, false)
  }
}

/** The packaged extension, for the stages after it. @type {string | undefined} */
let vsix

/** @type {Stage[]} */
const stages = [
  {
    name: 'install',
    needed: true,
    body: () => single('install', installDependencies),
  },
  {
    name: 'build',
    needed: true,
    body: () =>
      single('build', () =>
        run(process.execPath, [join('src', 'build', 'build.mjs')], { cwd: repositoryRoot, timeoutMs: stageTimeoutMs }),
      ),
  },
  {
    name: 'lint',
    body: () =>
      single('lint', () =>
        run('npm', ['run', '--silent', 'lint'], { cwd: repositoryRoot, show: true, timeoutMs: stageTimeoutMs }),
      ),
  },
  {
    name: 'typecheck',
    body: () =>
      single('typecheck', () =>
        run(toolPath('tsc'), ['--noEmit'], { cwd: repositoryRoot, show: true, timeoutMs: stageTimeoutMs }),
      ),
  },
  { name: 'unit', body: (marked) => vitest('unit', marked) },
  {
    name: 'integration',
    body: async (marked) => {
      const { ensurePythonLibraries } = await import('./pythonLibraries.mjs')
      const { ensureBuildTools } = await import('./buildTools.mjs')
      await ensurePythonLibraries()
      await ensureBuildTools()
      return vitest('integration*', marked)
    },
  },
  {
    name: 'package',
    body: async () => {
      const { packageExtension, checkPackage } = await import('./packageExtension.mjs')
      vsix = await packageExtension()
      return tallyChecks('package', await checkPackage(vsix))
    },
  },
  {
    name: 'VS Code',
    body: () =>
      single('VS Code', async () => {
        const { ensureVSCode } = await import('./vscodeInstall.mjs')
        const { ensureChromium } = await import('./chromium.mjs')
        await ensureChromium()
        await ensureVSCode()
      }),
  },
  {
    name: 'extension host',
    body: async (marked) => {
      // In a process of its own, so that it and what it starts carry the run's mark.
      const file = join(reportsFolder, 'extension-host.json')
      rmSync(file, { force: true })
      try {
        await run(process.execPath, [join('test', 'harness', 'hostTests.mjs')], {
          cwd: repositoryRoot,
          env: marked.environment,
          show: true,
          timeoutMs: stageTimeoutMs,
        })
      } catch (error) {
        if (!(error instanceof CommandFailedError)) throw error
      }
      const { readHostReport } = await import('./extensionHost.mjs')
      return readHostReport(file)
    },
  },
  { name: 'e2e', body: (marked) => vitest('e2e', marked, vsix ? { UNHANG_TEST_VSIX: vsix } : {}) },
  {
    name: 'leak check',
    body: async (marked) =>
      tallyChecks(
        'leak check',
        (await marked.leaks()).map(({ check, left }) => ({
          check,
          problem: left.length > 0 ? left.join('\n      ') : null,
        })),
      ),
  },
]

/**
 * Runs every stage, prints what failed and the line that counts. A fraction of the stages can be named on the command
 * line (`npm test -- unit e2e`), for working on them.
 * @returns {Promise<number>} the exit code
 */
export async function runEverything() {
  endCommandsOnInterrupt()
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name))
  if (unknown.length > 0) {
    console.error(`No such stage: ${unknown.join(', ')}. There are: ${stages.map(({ name }) => name).join(', ')}.`)
    return 2
  }
  mkdirSync(reportsFolder, { recursive: true })
  const marked = new MarkedRun()
  onInterrupt(async () => {
    // The stage's own group is being ended; what has a group of its own (VS Code, hosts) a moment later.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    marked.endMarked()
    marked.remove()
  })
  /** @type {{ name: string, tally: Tally, ms: number }[]} */
  const results = []
  try {
    for (const stage of stages) {
      if (wanted.length > 0 && !stage.needed && stage.name !== 'leak check' && !wanted.includes(stage.name)) continue
      const began = Date.now()
      console.log()
      say(`── ${stage.name}`)
      const tally = await stage.body(marked).catch((/** @type {unknown} */ error) => {
        console.error(error instanceof Error ? error.message : error)
        return oneFailed(stage.name, error)
      })
      results.push({ name: stage.name, tally, ms: Date.now() - began })
      if (stage.needed && tally.failed > 0) break
    }
  } finally {
    marked.remove()
  }
  return report(results)
}

/** A message without the frames inside libraries, and not longer than a screen. @param {string} message */
function readable(message) {
  const lines = message
    .trim()
    .split('\n')
    .filter((line) => !/^\s+at .*(node_modules|node:internal|extensionHostProcess\.js)/.test(line))
  return lines.slice(0, 30)
}

/** @param {{ name: string, tally: Tally, ms: number }[]} results */
function report(results) {
  const tooMany = tallyRetries(results.map(({ tally }) => tally))
  if (tooMany !== undefined) results.push({ name: 'second attempts', tally: tooMany, ms: 0 })
  const show = (
    /** @type {string} */ heading,
    /** @type {(tally: Tally) => import('./tally.mjs').Failure[] | undefined} */ of,
  ) => {
    const all = results.flatMap(({ name, tally }) => (of(tally) ?? []).map((one) => ({ ...one, stage: name })))
    if (all.length > 0) console.log(`\n${heading}`)
    for (const { stage, title, message } of all) {
      console.log(`\n  ✗ [${stage}] ${title}`)
      for (const line of readable(message)) console.log(`      ${line}`)
    }
  }
  show('Passed at the second attempt only; the first said:', ({ retried }) => retried)
  const skipped = results.flatMap(({ name, tally }) =>
    skippedByReason(tally.skipped ?? []).map((title) => `  - [${name}] ${title}`),
  )
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.join('\n')}`)
  show('Failed:', ({ failures }) => failures)
  const slowest = slowestSuites(results.map(({ tally }) => tally))
  if (slowest.length > 0) console.log('\nThe slowest suites:')
  for (const { file, ms } of slowest) console.log(`  ${seconds(ms).padStart(8)}  ${relative(repositoryRoot, file)}`)
  console.log()
  for (const { name, tally, ms } of results) {
    console.log(
      `  ${tally.failed > 0 ? '✗' : '✓'} ${name.padEnd(16)} ${String(tally.passed).padStart(5)} passed ` +
        `${String(tally.failed).padStart(4)} failed  ${seconds(ms).padStart(8)}`,
    )
  }
  const passed = results.reduce((sum, { tally }) => sum + tally.passed, 0)
  const failed = results.reduce((sum, { tally }) => sum + tally.failed, 0)
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed > 0 || passed === 0 ? 1 : 0
}
