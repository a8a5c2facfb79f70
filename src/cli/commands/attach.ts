import { namedPids, programTree } from '../attach/text'
import { exitCodes } from '../exitCodes'
import { fetchPools } from '../snapshots'
import { poolWord } from '../words/shell'
import type { Command } from './context'

/** Reading the process table of a busy machine, and what each of the program's processes is. */
const attachTimeoutMs = 30_000

/**
 * `unhang attach PID`: looks at a program that runs already. Nothing is sent to it; `--yes` says beforehand that it may
 * be ended.
 */
export const attach: Command<[number, { yes?: true }]> = async ({ access, terminal }, pid, { yes }) =>
  access.started(async (host) => {
    const { programId, pids, name } = await host.request('unhang/attach', { pid }, { timeoutMs: attachTimeoutMs })
    if (yes) await host.request('unhang/confirmAttached', { poolId: programId, pids })
    const pools = await fetchPools(host)
    const program = pools.find((pool) => pool.id === programId)
    if (program !== undefined) {
      const named = namedPids(program, pools)
      const others = pids.filter((other) => !named.has(other)).map((other) => `  ${other}`)
      terminal.print([...programTree(program, pools, terminal.stdoutPalette), ...others].join('\n'))
    }
    const word = program === undefined ? programId : poolWord(program, pools)
    terminal.note(
      yes
        ? `${name} may be ended from here on: unhang terminate ${word}`
        : `It is attached read-only. unhang why ${word} says what is wrong; unhang terminate ${word} asks before it ` +
            'sends the first signal.',
    )
    return exitCodes.ok
  })
