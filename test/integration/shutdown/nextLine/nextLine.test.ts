import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostConnection } from '../../../../src/discovery'
import { until, Workspace, type Finished } from '../../cli/workspace'
import { Complaints } from './complaints'
import { CpuLoad } from './cpuLoad'
import { signalsTo, tooEarly } from './killLedger'
import { connectHost, MarkedProgram, statusOf } from './markedProgram'
import { processOf } from './markedProcesses'
import { missing, rows, type Row } from './programs'
import { byHand, timeoutMs, wrongInAnyRun } from './runs'

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
    const survives = row.survives !== undefined && mode === 'terminate' && !options.includes('--sigkill')
    const wait = ['--grace-ms', String(row.survives === undefined ? patientMs : graceMs)]
    const ended = await workspace.run(mode, poolId, ...wait, ...options)

    const complaints = new Complaints()
    if (survives) {
      complaints.expectThat(`exit code of ${mode}`, ended.code, 1)
      const child = program.tree.find(({ parentPid }) => parentPid === pid)?.pid
      const [survivor, reached] = row.survives === 'root' ? [pid, [pid]] : [child, [pid, child]]
      complaints.expectIn('the issues', ended.stdout, `pid=${String(survivor)}`)
      const gone = program.tree.filter((one) => processOf(one.pid)?.startTime !== one.startTime)
      complaints.expectThat(
        'ended',
        gone.map((one) => one.pid),
        row.survives === 'root' ? [] : [pid],
      )
      complaints.expectThat(
        'signalled below one that lives',
        signalsTo(program.tree, host.endpoint.killsFile).filter(({ identity }) => !reached.includes(identity.pid)),
        [],
      )
      complaints.expectThat('next lines while it lives', program.nextLines, [])
      if (row.root === 'stopped') complaints.expectThat('state of the stopped root', processOf(pid)?.state, 'T')
      expectKilled(row, pid, await workspace.run('kill', poolId), complaints)
    } else if (mode === 'kill') {
      expectKilled(row, pid, ended, complaints)
    } else {
      complaints.expectThat(`exit code and issues of ${mode}`, [ended.code, ended.stdout], [0, ''])
    }
    // The kernel keeps what a debugger held until the debugger has looked at it.
    await debuggerDone?.()
    await complaints.expectEnded(program, row.waits, host.endpoint.killsFile)
    const killed = row.root !== 'killed' && (mode === 'kill' || row.survives === 'root')
    complaints.expectOneOf(
      'exit status of `unhang run`',
      statusOf(await cli.finished),
      [killed ? 137 : (row.status ?? 143)].flat(),
    )
    complaints.expectThat('said', program.said, mode === 'kill' ? [] : (row.said ?? []))
    const sent = signalsTo(program.tree, host.endpoint.killsFile)
    const kills = sent.filter(({ signal }) => signal === 'SIGKILL')
    if (mode === 'terminate' && row.survives === undefined)
      complaints.expectThat('SIGKILL without --sigkill', kills, [])
    if (options.includes('--sigkill')) complaints.expectThat('grace periods', tooEarly(sent, graceMs), [])
    if (mode === 'kill')
      complaints.expectThat(
        'sent by kill',
        [...new Set(sent.map(({ signal }) => signal))].filter((signal) => signal !== 'SIGKILL'),
        [],
      )
    return complaints.all
  } catch (error) {
    throw new Error(`${String(error)}\n${program.story()}`, { cause: error })
  } finally {
    await program.end()
    await debuggerDone?.()
  }
}

/** What a debugger holds is dead, but not gone before the debugger is; all else is gone without a word. */
function expectKilled({ root }: Row, pid: number, { code, stdout }: Finished, complaints: Complaints): void {
  if (root === 'traced') complaints.expectIn('the issues of kill', stdout, `pid=${pid}`)
  else complaints.expectThat('exit code and issues of kill', [code, stdout], [0, ''])
}

/** Does to the root what the row asks for. */
async function prepare({ root }: Row, pid: number): Promise<(() => Promise<void>) | undefined> {
  const untilState = async (state: string): Promise<void> => {
    await until(`${pid} is in state ${state}`, () => ((processOf(pid)?.state ?? '') === state ? true : undefined))
  }
  switch (root) {
    case undefined:
      return undefined
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

function testsFor(wanted: readonly Row[]): void {
  for (const row of wanted) {
    const why = missing(row)
    // A kill has one way for all programs.
    for (const mode of byHand || row.loaded === true ? (['terminate', 'kill'] as const) : (['terminate'] as const)) {
      it.skipIf(why !== undefined)(
        `${mode}: ${row.name}${why === undefined ? '' : ` (skipped: ${why})`}`,
        { retry: 0, timeout: timeoutMs },
        async () => {
          expect(await wrongInAnyRun(() => wrongWith(row, mode))).toEqual([])
        },
      )
    }
    if (row.survives !== undefined && row.loaded === true) {
      it(`terminate --sigkill: ${row.name}`, { retry: 0, timeout: timeoutMs }, async () => {
        expect(await wrongInAnyRun(() => wrongWith(row, 'terminate', ['--sigkill']))).toEqual([])
      })
    }
  }
}

describe('no line of a program runs because we ended a child of it', () => {
  testsFor(byHand ? [] : rows.filter(({ loaded }) => loaded !== true))

  describe('while every core is busy', () => {
    let load: CpuLoad
    beforeAll(() => {
      load = new CpuLoad()
    })
    afterAll(async () => {
      await load.end()
    })
    testsFor(byHand ? rows : rows.filter(({ loaded }) => loaded === true))
  })
})
