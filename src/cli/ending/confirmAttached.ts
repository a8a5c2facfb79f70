import { type HostConnection } from '../../discovery'
import { programOf, type PoolSnapshot } from '../../protocol'
import { plainLine } from '../../words'
import { namedPids } from '../attach/text'
import { CliError } from '../errors'
import { confirmed, type Questions } from '../output/questions'
import type { Terminal } from '../output/terminal'
import { plural } from '../words/plural'

interface Asking {
  readonly host: HostConnection
  readonly terminal: Terminal
  readonly questions: Questions
  readonly yes: boolean
}

/**
 * A program that Unhang did not start is nobody's but the user's: before the first signal the user sees every pid and
 * says yes, once.
 * @returns false when the answer was no.
 * @throws CliError without a terminal and without `yes`.
 */
export async function confirmAttached(
  poolId: string,
  pools: readonly PoolSnapshot[],
  { host, terminal, questions, yes }: Asking,
): Promise<boolean> {
  const pool = pools.find((other) => other.id === poolId)
  const program = pool && programOf(pool, pools)
  if (program?.program?.readOnly !== true) return true
  const named = namedPids(program, pools)
  // What it started since it was attached to belongs to it as well, and is to be shown.
  const { pids } =
    program.program.pid === null ? { pids: [] } : await host.request('unhang/attach', { pid: program.program.pid })
  const all = [...new Set([...pids, ...named.keys()])]
  terminal.note(
    `${plainLine(program.name)} was not started by Unhang. From here on it may be ended, with ` +
      `${plural(all.length, 'process', 'processes')}:`,
  )
  for (const pid of all) terminal.note(`  ${pid}  ${plainLine(named.get(pid) ?? '')}`.trimEnd())
  if (!yes) {
    if (!questions.canAsk)
      throw new CliError('nothing was done: there is no terminal to ask in', ['With --yes it is done without asking.'])
    if (!(await confirmed(questions, 'End these?'))) return false
  }
  await host.request('unhang/confirmAttached', { poolId: program.id, pids: all })
  return true
}
