import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Pool } from '../../src/core'

/**
 * Long enough that what starts each system once (a Perl interpreter, a pool) weighs little, short enough for several
 * rounds.
 */
const commands = 500
const rounds = 5
const aimedRatio = 2.5
const moduleTasks = 20_000

interface Row {
  what: string
  value: string
  aim: string
  ok: boolean | null
}

/**
 * A process per task: how many `true` a second, two at a time, by us, GNU parallel, xargs, and a bare loop around
 * Node's spawn. All in turn in the same run, several rounds, medians: rates drift with what else a machine does, ratios
 * hardly.
 */
export async function run(): Promise<{ name: string; rows: Row[]; data: unknown }> {
  const systems = {
    pool: runPool,
    parallel: onPath('parallel') ? () => runShell(`seq ${commands} | parallel --will-cite -j2 true {}`) : undefined,
    xargs: onPath('xargs') ? () => runShell(`seq ${commands} | xargs -P2 -n1 true`) : undefined,
    spawnLoop: runSpawnLoop,
  }
  const rates: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, system] of Object.entries(systems)) {
      if (system === undefined) continue
      const started = performance.now()
      await system()
      ;(rates[name] ??= []).push((commands / (performance.now() - started)) * 1000)
    }
  }
  const rate = (name: string): number => median(rates[name] ?? [])
  const rows: Row[] = [
    { what: 'command pool of `true`, two workers', value: `${rate('pool').toFixed(0)} tasks/s`, aim: '', ok: null },
  ]
  if (systems.parallel === undefined) {
    rows.push({ what: 'GNU parallel', value: 'not installed (Debian package "parallel")', aim: '', ok: null })
  } else {
    const ratios = (rates.pool ?? []).map((value, round) => value / (rates.parallel?.[round] ?? Number.NaN))
    const ratio = median(ratios)
    rows.push(
      { what: 'GNU parallel -j2', value: `${rate('parallel').toFixed(0)} tasks/s`, aim: '', ok: null },
      {
        what: 'command pool / GNU parallel',
        value: `${ratio.toFixed(2)} ×`,
        aim: `≥ ${aimedRatio} ×`,
        ok: ratio >= aimedRatio,
      },
    )
  }
  if (systems.xargs !== undefined)
    rows.push({ what: 'xargs -P2', value: `${rate('xargs').toFixed(0)} tasks/s`, aim: '', ok: null })
  rows.push({
    what: 'bare loop around child_process.spawn',
    value: `${rate('spawnLoop').toFixed(0)} tasks/s`,
    aim: '',
    ok: null,
  })

  const module = await runModulePool()
  rows.push({
    what: 'module pool of no-ops, two workers, one task sent at a time',
    value: `${module.toFixed(0)} tasks/s`,
    aim: '',
    ok: null,
  })
  return { name: 'Engine', rows, data: { commands, rates, moduleTasksPerSecond: module } }
}

async function runPool(): Promise<void> {
  const pool = new Pool({ command: ['true'], processes: 2 })
  await pool.runItems(Array.from({ length: commands }, (_, n) => n)).done
  pool.close()
  await pool.join()
  if (pool.counts.done !== commands) throw new Error(`only ${pool.counts.done} of ${commands} commands were done`)
}

async function runModulePool(): Promise<number> {
  const pool = new Pool({
    module: join(process.cwd(), 'test/fixtures/core/tasks.js'),
    processes: 2,
    workerPath: join(process.cwd(), 'dist/node-worker.js'),
  })
  await Promise.all([pool.apply('double', [1]), pool.apply('sleep', [50])])
  const started = performance.now()
  const results = Array.from({ length: moduleTasks }, (_, n) => pool.applyAsync('double', [n]))
  await Promise.all(results.map((result) => result.get()))
  const rate = (moduleTasks / (performance.now() - started)) * 1000
  await pool.terminate()
  return rate
}

/** What Node can do at best in one process, with the same pipes. */
function runSpawnLoop(): Promise<void> {
  return new Promise((resolve, reject) => {
    let started = 0
    let ended = 0
    const next = (): void => {
      if (started >= commands) return
      started++
      spawn('true', [], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
        .on('error', reject)
        .on('close', () => {
          if (++ended === commands) resolve()
          else next()
        })
    }
    next()
    next()
  })
}

function runShell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] })
      .on('error', reject)
      .on('close', (code) => {
        if (code === 0) resolve()
        else reject(new Error(`"${command}" ended with exit ${code ?? 'by a signal'}`))
      })
  })
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
