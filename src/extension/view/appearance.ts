import { workersOfPool } from '../model/poolStore'
import type { PoolCatalog } from '../model/poolCatalog'
import { exitedGroupRow, poolRow, showMoreRow, taskRow, workerRow, type RowText } from '../text/rows'
import { poolContextValue, taskContextValue, workerContextValue } from './contextValue'
import { poolIcon, taskIcon, workerIcon, type IconChoice } from './icons'
import { nodeKey, type PoolsNode } from './nodes'
import type { PoolsTree } from './poolsTree'
import { taskTone, workerTone, type Tone } from './statusColors'

/**
 * All that can be seen of a row, as plain data, so that two states of a row can be compared before it is drawn again.
 */
export interface Appearance extends RowText {
  readonly id: string
  readonly icon: IconChoice
  readonly collapsible: 'none' | 'collapsed' | 'expanded'
  readonly contextValue?: string
  /** Rows that are coloured. */
  readonly tone?: Tone
}

/** How a row looks now; undefined for one that is asked for after it went. */
export function appearanceOf(
  node: PoolsNode,
  catalog: PoolCatalog,
  tree: PoolsTree,
  now: number,
): Appearance | undefined {
  const id = nodeKey(node)
  const pool = catalog.pool(node.poolId)
  if (pool === undefined) return undefined
  const { header } = pool
  switch (node.kind) {
    case 'pool':
      // Open from the start, before it has workers: VS Code does not open a row that could not be opened when it came.
      return {
        id,
        ...poolRow(header, catalog.folderOf(header.id), catalog.poolsOf(header.id).length),
        icon: poolIcon(header, catalog.isStuck(pool)),
        contextValue: poolContextValue(header),
        collapsible: 'expanded',
      }
    case 'worker': {
      const worker = pool.workers.get(node.name)
      if (worker === undefined) return undefined
      const collapsible = worker.task === null ? 'none' : 'collapsed'
      const verdict = catalog.verdictOn(header.id, worker)
      return {
        id,
        ...workerRow(worker, now, verdict),
        icon: workerIcon(worker, verdict),
        contextValue: workerContextValue(worker, header),
        tone: workerTone(worker, verdict),
        collapsible,
      }
    }
    case 'task': {
      const task = pool.workers.get(node.worker)?.task
      if (task === null || task === undefined) return undefined
      return {
        id,
        ...taskRow(task, now),
        icon: taskIcon(task),
        contextValue: taskContextValue(task, header),
        tone: taskTone(task),
        collapsible: 'none',
      }
    }
    case 'exitedGroup': {
      const listed = workersOfPool(pool).filter((worker) => worker.status === 'exited').length
      const hidden = [...pool.workers.values()].filter((worker) => worker.status === 'exited').length - listed
      // Once the pool has ended, how its workers ended is all there is to see. Another id, because VS Code remembers
      // for an id that it was closed.
      const ended = header.state === 'ended'
      const row = {
        ...exitedGroupRow(listed, header.exitedWorkerCount - hidden),
        icon: { icon: 'history' },
        contextValue: 'exitedGroup',
      }
      return ended ? { ...row, id: `${id}/ended`, collapsible: 'expanded' } : { ...row, id, collapsible: 'collapsed' }
    }
    case 'more':
      return {
        id,
        ...showMoreRow(tree.hiddenCount(node.poolId, node.list)),
        icon: { icon: 'ellipsis' },
        collapsible: 'none',
      }
  }
}
