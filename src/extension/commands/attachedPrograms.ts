import * as l10n from '@vscode/l10n'
import type { Sessions } from '../client/sessions'
import type { PoolRecord } from '../model/poolStore'
import type { Prompts } from '../prompts/prompts'
import { processList, type NamedProcess } from '../text/attached'
import { planText } from '../text/shutdownPlan'

/** Reading the process table of a busy machine. */
const attachTimeoutMs = 30_000

/**
 * A program that Unhang did not start is nobody's but the person's: before the first signal every pid of it is named
 * and confirmed, once. Pools of other programs and of ours pass.
 * @returns false when the person said no to any of them.
 */
export async function confirmAttached(
  pools: readonly PoolRecord[],
  sessions: Sessions,
  prompts: Prompts,
  mode: 'terminate' | 'kill',
): Promise<boolean> {
  const { catalog } = sessions
  const programs = new Set(
    pools.flatMap((pool) => catalog.programOf(pool) ?? []).filter(({ header }) => header.program?.readOnly === true),
  )
  for (const program of programs) {
    const { id, name } = program.header
    const session = sessions.ofPool(id)
    const pid = program.header.program?.pid
    if (session === undefined || pid == null) continue
    // What it has started since it was attached to belongs to it as well, and is to be seen.
    const { pids } = await session.request('unhang/attach', { pid }, { timeoutMs: attachTimeoutMs })
    await session.refresh()
    const processes = named(catalog.pool(id) ?? program, catalog.poolsOf(id), pids)
    const { plans } = await session.request(
      'unhang/planShutdown',
      { targets: [{ kind: 'pool', poolId: id }], mode, askedBy: 'user' },
      { timeoutMs: attachTimeoutMs },
    )
    const confirmed = await prompts.confirm({
      message:
        processes.length === 1
          ? l10n.t('{0} was not started by Unhang. End it?', name)
          : l10n.t('{0} was not started by Unhang. May it be ended, with {1} processes?', name, processes.length),
      // Every pid is named, whatever the plan has room for.
      detail: `${processList(processes)}\n\n${planText(plans)}`,
      action: mode === 'kill' ? l10n.t('Kill') : l10n.t('Terminate'),
    })
    if (!confirmed) return false
    await session.request('unhang/confirmAttached', { poolId: id, pids: processes.map((process) => process.pid) })
  }
  return true
}

/** The program first, then whatever the host knows of it, by name where it has one. */
function named(program: PoolRecord, inside: readonly PoolRecord[], pids: readonly number[]): NamedProcess[] {
  const names = new Map<number, string>()
  if (program.header.program?.pid != null) names.set(program.header.program.pid, program.header.name)
  for (const pool of [program, ...inside]) {
    for (const worker of pool.workers.values())
      if (worker.status !== 'exited' && worker.pid > 0 && !names.has(worker.pid)) names.set(worker.pid, worker.name)
  }
  for (const pid of pids) if (!names.has(pid)) names.set(pid, '')
  return [...names].map(([pid, name]) => ({ pid, name }))
}
