import { Uri } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { CommandHandlers } from '../contributions/commands'
import type { PlacedWorker, PoolCatalog } from '../model/poolCatalog'
import type { PoolRecord } from '../model/poolStore'
import type { Prompts } from '../prompts/prompts'
import type { PoolsNode } from '../view/nodes'
import { poolIdsOf, readArguments, workersOf } from './arguments'
import { poolChoices, workerChoices } from './choices'
import type { ShutdownMode, ShutdownService } from './shutdownService'

/** What the ending commands need. */
export interface EndingContext {
  readonly catalog: PoolCatalog
  readonly shutdown: ShutdownService
  readonly prompts: () => Prompts
  /** Rows selected in the visible tree; empty when it is hidden, so that nothing unseen is ended. */
  readonly selection: () => readonly PoolsNode[]
  /** The URI of the workspace folder that a pool runs for. */
  readonly folderOf: (poolId: string) => Uri | undefined
}

type EndingCommand =
  | 'unhang.terminatePool'
  | 'unhang.killPool'
  | 'unhang.terminateWorker'
  | 'unhang.killWorker'
  | 'unhang.killStuck'
  | 'unhang.terminateAll'

/** Commands that end something: on rows, on what a code lens names, on the selection, or on what is picked. */
export function endingCommands(context: EndingContext): Pick<CommandHandlers, EndingCommand> {
  const { catalog, shutdown } = context
  return {
    'unhang.terminatePool': (...args) => endPools(context, args, 'terminate'),
    'unhang.killPool': (...args) => endPools(context, args, 'kill'),
    'unhang.terminateWorker': (...args) => endWorkers(context, args, 'terminate'),
    'unhang.killWorker': (...args) => endWorkers(context, args, 'kill'),
    'unhang.killStuck': async () => {
      const stuck = catalog.stuckWorkers
      if (stuck.length === 0) await say(context, l10n.t('No worker is stuck.'))
      else await shutdown.endWorkers(stuck, 'kill')
    },
    'unhang.terminateAll': async () => {
      if (catalog.livePools.length === 0) await say(context, l10n.t('No pool is running.'))
      else await shutdown.terminateAll()
    },
  }
}

async function endPools(context: EndingContext, args: readonly unknown[], mode: ShutdownMode): Promise<void> {
  const pools = await choosePools(context, args, mode)
  if (pools !== undefined && pools.length > 0) await context.shutdown.endPools(pools, mode)
}

async function choosePools(
  { catalog, prompts, selection, folderOf }: EndingContext,
  args: readonly unknown[],
  mode: ShutdownMode,
): Promise<readonly PoolRecord[] | undefined> {
  const { rows, poolId, label, folder } = readArguments(args)
  const live = catalog.livePools
  const named = poolId !== undefined || label !== undefined
  const rowsMeant = rows.length > 0 || named ? rows : selection().filter((row) => row.kind === 'pool')
  const ids = new Set(poolIdsOf(rowsMeant))
  const uri = folder === undefined ? undefined : Uri.parse(folder).toString()
  const isLabelled = ({ header }: PoolRecord): boolean =>
    label !== undefined && header.label === label && (uri === undefined || folderOf(header.id)?.toString() === uri)
  const meant = live.filter((pool) => ids.has(pool.header.id) || pool.header.id === poolId || isLabelled(pool))
  if (meant.length > 0) return meant
  if (live.length === 0 || named || rows.length > 0) {
    await say({ prompts }, live.length === 0 ? l10n.t('No pool is running.') : l10n.t('That pool has ended.'))
    return undefined
  }
  // One pool needs no choosing; the question before a kill names it.
  if (live.length === 1) return live
  const picked = await prompts().pickOne(poolChoices(live, catalog), {
    title: mode === 'kill' ? l10n.t('Kill Pool (SIGKILL)') : l10n.t('Terminate Pool'),
    placeholder: l10n.t('The pool to end'),
  })
  return picked && [picked]
}

async function endWorkers(context: EndingContext, args: readonly unknown[], mode: ShutdownMode): Promise<void> {
  const workers = await chooseWorkers(context, args, mode)
  if (workers !== undefined && workers.length > 0) await context.shutdown.endWorkers(workers, mode)
}

async function chooseWorkers(
  { catalog, prompts, selection }: EndingContext,
  args: readonly unknown[],
  mode: ShutdownMode,
): Promise<readonly PlacedWorker[] | undefined> {
  const { rows } = readArguments(args)
  const live = catalog.liveWorkers
  const names = new Set(workersOf(rows.length > 0 ? rows : selection()).map(({ poolId, name }) => `${poolId}/${name}`))
  const meant = live.filter(({ pool, worker }) => names.has(`${pool.header.id}/${worker.name}`))
  if (meant.length > 0) return meant
  if (live.length === 0 || rows.length > 0) {
    await say({ prompts }, live.length === 0 ? l10n.t('No worker is running.') : l10n.t('That worker has exited.'))
    return undefined
  }
  const picked = await prompts().pickOne(workerChoices(live), {
    title: mode === 'kill' ? l10n.t('Kill Worker (SIGKILL)') : l10n.t('Terminate Worker'),
    placeholder: l10n.t('The worker to end; its pool replaces it'),
  })
  return picked && [picked]
}

async function say({ prompts }: Pick<EndingContext, 'prompts'>, message: string): Promise<void> {
  await prompts().notify('info', message, [])
}
