import { ThemeIcon } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { PlacedWorker, PoolCatalog } from '../model/poolCatalog'
import type { PoolRecord } from '../model/poolStore'
import type { Choice } from '../prompts/prompts'
import { poolRow, workerRow } from '../text/rows'
import { poolIcon, workerIcon } from '../view/icons'

/** Pools for a picker: name, state, and the pids one may know them by. */
export function poolChoices(pools: readonly PoolRecord[], catalog: PoolCatalog): Choice<PoolRecord>[] {
  return pools.map((pool) => {
    const { label, description } = poolRow(pool.header, catalog.folderOf(pool.header.id))
    const pids = [...pool.workers.values()]
      .filter((worker) => worker.status !== 'exited' && worker.pid > 0)
      .map((worker) => worker.pid)
    const detail =
      pids.length === 0
        ? l10n.t('no live workers')
        : pids.length === 1
          ? l10n.t('pid {0}', listed(pids))
          : l10n.t('pids {0}', listed(pids))
    return { label, description, detail, iconPath: new ThemeIcon(poolIcon(pool.header).icon), value: pool }
  })
}

/** Workers for a picker: the same words as in the tree, with the pool they belong to. Stuck ones first. */
export function workerChoices(workers: readonly PlacedWorker[]): Choice<PlacedWorker>[] {
  const now = Date.now()
  return [...workers]
    .sort((a, b) => Number(b.worker.task?.stuck === true) - Number(a.worker.task?.stuck === true))
    .map((placed) => {
      const { label, description } = workerRow(placed.worker, now)
      return {
        label,
        description,
        detail: placed.pool.header.name,
        iconPath: new ThemeIcon(workerIcon(placed.worker).icon),
        value: placed,
      }
    })
}

/** More pids than this say nothing in one line. */
const mostPids = 12

function listed(pids: readonly number[]): string {
  return pids.length <= mostPids ? pids.join(', ') : `${pids.slice(0, mostPids).join(', ')}, …`
}
