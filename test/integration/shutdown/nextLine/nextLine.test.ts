import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostConnection } from '../../../../src/protocol'
import { until, Workspace } from '../../cli/workspace'
import { CpuLoad } from './cpuLoad'
import { outOfOrder, signalsTo, tooEarly } from './killLedger'
import { connectHost, MarkedProgram, statusOf } from './markedProgram'
import { processOf } from './markedProcesses'
import { missing, rows, type Row } from './programs'

/**
 * No program that we end runs its next line because we ended a child of it. One run proves little: `UNHANG_NEXT_LINE_RUNS=20` takes
 * twenty of each, all under CPU load.
 */
const runs = Number(process.env.UNHANG_NEXT_LINE_RUNS ?? 1)
const byHand = process.env.UNHANG_NEXT_LINE_RUNS !== undefined
const atOnce = 4
const timeoutMs = 120_000 + runs * 20_000

/** Whoever ends is not waited for any longer, so that a long one costs nothing. */
const patientMs = 10_000
/** For those that stay. */
const graceMs = 300

let workspace: Workspace
let host: HostConnection
beforeAll(async () => {
  workspace = await Workspace.create()
  host = await connectHost(workspace)
})
afterAll(async () => {
  host.dispose()
  await workspace.dispose()
})

/** Starts a program and ends it; returns what is wrong with how it ended. */
async function wrongWith(row: Row, mode: 'terminate' | 'kill', options: readonly string[] = []): Promise<string[]> {
  const program = await MarkedProgram.create(workspace)
  const cli = program.run(row.command)
  let debuggerDone: (() => Promise<void>) | undefined
  try {
    await program.untilWaits(row.waits)
    const { pid } = program.root
    const poolId = await until('the host knows it', async () => {
      const snapshot = await host.request('unhang/snapshot', {}, { timeoutMs: 30_000 })
      return (snapshot.kind === 'full' ? snapshot.pools : []).find((pool) => pool.program?.pid === pid)?.id
    })
    debuggerDone = await prepare(row, pid)
    const survives = row.survives === true && mode === 'terminate' && !options.includes('--sigkill')
    const wait = ['--grace-ms', String(survives || row.survives === true ? graceMs : patientMs)]
    const ended = await workspace.run(mode, poolId, ...wait, ...options)

    const wrong: string[] = []
    const expectThat = (what: string, found: unknown, wanted: unknown): void => {
      if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
    }
    if (survives) {
      expectThat(`exit code of ${mode}`, ended.code, 1)
      if (!ended.stdout.includes(`pid=${pid}`)) wrong.push(`no issue names the root: ${ended.stdout}`)
      expectThat('still there', program.tree.filter((one) => processOf(one.pid)?.startTime !== one.startTime), [])
      expectThat('signalled below a root that lives', signalsTo(program.tree, host.endpoint.killsFile).filter(({ identity }) => identity.pid !== pid), [])
      expectThat('next lines while it lives', program.nextLines, [])
      if (row.root === 'stopped') expectThat('state of the stopped root', processOf(pid)?.state, 'T')
      expectThat('issues of the kill', (await workspace.run('kill', poolId)).stdout, '')
    } else {
      expectThat(`exit code and issues of ${mode}`, [ended.code, ended.stdout], [0, ''])
    }
    expectThat('left', await program.untilGone(), [])
    const killed = mode === 'kill' || row.survives === true
    expectThat('exit status of `unhang run`', statusOf(await cli.finished), killed && row.root !== 'killed' ? 137 : row.status ?? 143)
    expectThat('next lines', program.nextLines, [])
    expectThat('processes started anew', program.pids.slice(row.waits), [])
    expectThat('said', program.said, mode === 'kill' ? [] : row.said ?? [])
    const sent = signalsTo(program.tree, host.endpoint.killsFile)
    expectThat('order', outOfOrder(sent, program.tree), [])
    const kills = sent.filter(({ signal }) => signal === 'SIGKILL')
    if (mode === 'terminate' && row.survives === undefined) expectThat('SIGKILL without --sigkill', kills, [])
    if (options.includes('--sigkill')) expectThat('grace periods', tooEarly(sent, graceMs), [])
    if (mode === 'kill') expectThat('sent by kill', [...new Set(sent.map(({ signal }) => signal))].filter((signal) => signal !== 'SIGKILL'), [])
    return wrong
  } catch (error) {
    throw new Error(`${String(error)}\n${program.story()}`, { cause: error })
  } finally {
    await program.end()
    await debuggerDone?.()
  }
}

/** Does to the root what the row asks for. */
async function prepare({ root }: Row, pid: number): Promise<(() => Promise<void>) | undefined> {
  const untilState = async (state: string): Promise<void> => {
    await until(`${pid} is in state ${state}`, () => ((processOf(pid)?.state ?? '') === state ? true : undefined))
  }
  switch (root) {
    case undefined: return undefined
    case 'stopped':
      process.kill(pid, 'SIGSTOP')
      await untilState('T')
      return undefined
    case 'killed':
      process.kill(pid, 'SIGKILL')
      await untilState('')
      return undefined
    case 'traced': {
      const gdb = spawn('gdb', ['-q', '-nx', '-p', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'] })
      const ended = once(gdb, 'exit')
      await untilState('t')
      return async () => {
        gdb.kill('SIGKILL')
        await ended
      }
    }
  }
}

/** Several at a time: that is load, too. */
async function wrongWithAll(row: Row, mode: 'terminate' | 'kill', options: readonly string[] = []): Promise<string[]> {
  const wrong: string[] = []
  for (let from = 0; from < runs; from += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, runs - from) }, (_, at) => from + at + 1)
    const found = await Promise.all(batch.map(async (at) => (await wrongWith(row, mode, options)).map((what) => `run ${at} of ${runs}: ${what}`)))
    wrong.push(...found.flat())
  }
  return wrong
}

function testsFor(wanted: readonly Row[]): void {
  for (const row of wanted) {
    const why = missing(row)
    for (const mode of ['terminate', 'kill'] as const) {
      it.skipIf(why !== undefined)(`${mode}: ${row.name}${why === undefined ? '' : ` (skipped: ${why})`}`, { retry: 0, timeout: timeoutMs }, async () => {
        expect(await wrongWithAll(row, mode)).toEqual([])
      })
    }
    if (row.survives === true && row.root === undefined && row.name.includes('handle')) {
      it(`terminate --sigkill: ${row.name}`, { retry: 0, timeout: timeoutMs }, async () => {
        expect(await wrongWithAll(row, 'terminate', ['--sigkill'])).toEqual([])
      })
    }
  }
}

describe('no line of a program runs because we ended a child of it', () => {
  testsFor(byHand ? [] : rows.filter(({ loaded }) => loaded !== true))

  describe('while every core is busy', () => {
    let load: CpuLoad
    beforeAll(() => { load = new CpuLoad() })
    afterAll(async () => { await load.end() })
    testsFor(byHand ? rows : rows.filter(({ loaded }) => loaded === true))
  })
})
