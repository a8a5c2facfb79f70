#!/usr/bin/env node
// `npm run bench [name …]`: every test/bench/*.ts, one after another, each in a process of its own, so that none
// disturbs another's clock. Prints what was measured beside what is aimed at, and keeps it in test/bench/results/.
import '../harness/nodeVersion.mjs'
import { createRequire } from 'node:module'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants, cpus, loadavg, setPriority, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * One measured figure. @typedef {{ what: string, value: string, aim: string, ok: boolean | null }} BenchRow `ok` is
 * null for a figure without an aim
 */
/** What a bench's `run` returns. @typedef {{ name: string, rows: BenchRow[], data: unknown }} BenchResult */

const here = dirname(fileURLToPath(import.meta.url))
const benchTimeoutMs = 15 * 60_000

if (process.argv[2] === '--child') await runChild()
else await runAll(process.argv.slice(2))

/** In the process of one bench. */
async function runChild() {
  const [bundle, resultFile] = process.argv.slice(3)
  if (!bundle || !resultFile) throw new Error('--child needs a bundle and a result file')
  try {
    // In front of whatever else the machine does, which is not what is measured; what a bench starts inherits it.
    setPriority(constants.priority.PRIORITY_HIGH)
  } catch {
    // Only root may.
  }
  const { run } = /** @type {{ run?: () => Promise<BenchResult> }} */ (createRequire(import.meta.url)(bundle))
  if (typeof run !== 'function') throw new Error(`${bundle} does not export run()`)
  writeFileSync(resultFile, JSON.stringify(await run(), undefined, 2))
}

/** @param {string[]} wanted names, all when empty */
async function runAll(wanted) {
  const { installDependencies } = await import('../harness/dependencies.mjs')
  const { endCommandsOnInterrupt, run } = await import('../harness/commands.mjs')
  const { artifactsFolder, repositoryRoot } = await import('../harness/paths.mjs')
  const { canInstallPackages, findOnPath, installPackages } = await import('../harness/debianPackages.mjs')
  endCommandsOnInterrupt()
  await installDependencies()
  const { build } = await import('esbuild')

  const all = readdirSync(here)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -3))
    .sort()
  const unknown = wanted.filter((name) => !all.includes(name))
  if (unknown.length > 0) {
    console.error(`No such bench: ${unknown.join(', ')}. There are: ${all.join(', ')}.`)
    process.exitCode = 2
    return
  }
  await run(process.execPath, [join('src', 'build', 'build.mjs')], { cwd: repositoryRoot })
  // What a pool of commands is compared with. Where it cannot be installed, the row says that it is missing.
  if (findOnPath('parallel') === undefined && canInstallPackages())
    await installPackages(['parallel']).catch((/** @type {Error} */ error) => {
      console.error(error.message)
    })

  const bundles = join(artifactsFolder, 'bench')
  const results = join(here, 'results')
  mkdirSync(results, { recursive: true })
  rmSync(bundles, { recursive: true, force: true })
  /** @type {BenchResult[]} */
  const measured = []
  for (const name of wanted.length > 0 ? wanted : all) {
    const bundle = join(bundles, `${name}.cjs`)
    const resultFile = join(results, `${name}.json`)
    rmSync(resultFile, { force: true })
    console.log(`\n── ${name}`)
    try {
      await build({
        entryPoints: [join(here, `${name}.ts`)],
        outfile: bundle,
        bundle: true,
        platform: 'node',
        target: 'node20.19',
        format: 'cjs',
        // As dist/ is made: a package may be an ES module, which a CommonJS bundle cannot require.
        mainFields: ['module', 'main'],
        external: ['vscode'],
        define: { 'import.meta.url': 'importMetaUrl' },
        banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href' },
        logLevel: 'warning',
      })
      await run(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), '--child', bundle, resultFile], {
        cwd: repositoryRoot,
        show: true,
        timeoutMs: benchTimeoutMs,
      })
      const result = /** @type {BenchResult} */ (JSON.parse(readFileSync(resultFile, 'utf8')))
      writeFileSync(
        resultFile,
        JSON.stringify({ ...result, machine: machine(), at: new Date().toISOString() }, undefined, 2),
      )
      measured.push(result)
      printTable(result.rows)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      console.error(message)
      measured.push({
        name,
        rows: [{ what: name, value: `failed: ${message.split('\n')[0] ?? ''}`, aim: 'to run', ok: false }],
        data: null,
      })
    }
  }
  if (measured.length > 1) {
    console.log('\n── all')
    printTable(measured.flatMap(({ rows }) => rows))
  }
  const missed = measured.flatMap(({ rows }) => rows).filter(({ ok }) => ok === false)
  console.log(
    missed.length === 0
      ? '\nEvery aim is met.'
      : `\n${missed.length} ${missed.length === 1 ? 'aim is' : 'aims are'} missed.`,
  )
  process.exitCode = missed.length === 0 ? 0 : 1
}

/** Figures mean nothing without what they were measured on. */
function machine() {
  return {
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    loadAverage: loadavg(),
  }
}

/** @param {BenchRow[]} rows */
function printTable(rows) {
  const cells = [
    ['', 'what', 'measured', 'aim'],
    ...rows.map(({ what, value, aim, ok }) => [ok === null ? ' ' : ok ? '✓' : '✗', what, value, aim]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  for (const row of cells)
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
}
