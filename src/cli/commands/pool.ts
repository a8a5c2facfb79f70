import { HostGoneError, type HostConnection } from '../../discovery'
import type { PoolSnapshot, LaunchedPool } from '../../protocol'
import { plainLine } from '../../words'
import { exitCodes, type ExitCode } from '../exitCodes'
import type { Palette } from '../output/palette'
import type { Terminal } from '../output/terminal'
import { definitionHint } from '../pool/definitionHint'
import { endOnInterrupt } from '../pool/endOnInterrupt'
import { failuresTable } from '../pool/failuresTable'
import { PoolFollower } from '../pool/follower'
import { Interrupts } from '../pool/interrupts'
import { launchError } from '../pool/launchProblems'
import { poolOutcome } from '../pool/outcome'
import { plural } from '../words/plural'
import type { Command } from './context'

/** Items may be a glob over a large tree, or a file of many lines. */
const launchTimeoutMs = 120_000

/** `unhang pool LABEL`: launches a pool of tasks.json and follows it. Exit code 0 only when every task is done. */
export const pool: Command<[string, { detach?: true }]> = async ({ access, terminal }, label, { detach }) => {
  const interrupts = new Interrupts()
  try {
    return await access.started(async (host) => {
      const follower = detach ? undefined : new PoolFollower(host, terminal)
      const launched = await launch(host, label, follower !== undefined)
      for (const warning of launched.warnings) terminal.note(`warning: ${plainLine(warning)}`)
      if (follower === undefined) {
        terminal.print(launched.poolId)
        return exitCodes.ok
      }
      // A program has no items of its own: how many tasks it makes is its affair.
      const tasks = launched.total === 0 ? '' : `, ${plural(launched.total, 'task')}`
      terminal.note(`${plainLine(launched.name)} (${launched.poolId})${tasks}; Ctrl-C terminates it`)
      endOnInterrupt(interrupts, host, launched.poolId, follower, terminal)
      return await report(host, await follower.untilEnded(launched.poolId), terminal)
    })
  } finally {
    interrupts.dispose()
  }
}

async function launch(host: HostConnection, label: string, follow: boolean): Promise<LaunchedPool> {
  const params = { label, env: environment(), defaults: { nodePath: process.execPath }, follow }
  try {
    return await host.request('unhang/launchPool', params, { timeoutMs: launchTimeoutMs })
  } catch (error) {
    throw launchError(label, error)
  }
}

/** A pool that is started here sees this terminal's environment, its PATH above all. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

async function report(host: HostConnection, ended: PoolSnapshot, terminal: Terminal): Promise<ExitCode> {
  const outcome = poolOutcome(ended, Date.now())
  const palette = terminal.stderrPalette
  if (!outcome.ok) for (const line of await failureLines(host, ended, palette)) terminal.note(line)
  terminal.note(outcome.ok ? palette.good(outcome.line) : palette.bad(outcome.line))
  return outcome.ok ? exitCodes.ok : exitCodes.failure
}

async function failureLines(host: HostConnection, ended: PoolSnapshot, palette: Palette): Promise<string[]> {
  try {
    const result = await host.request('unhang/failures', { poolId: ended.id })
    const hint = definitionHint(ended, result.failures)
    return [...failuresTable(result, palette), ...(hint === undefined ? [] : [palette.warning(hint)])]
  } catch (error) {
    // `unhang host stop` ends the host right after its pools: how the pool came out is known, the list is gone with it.
    if (error instanceof HostGoneError) return ['  (the host has ended, so its list of failures is gone)']
    throw error
  }
}
