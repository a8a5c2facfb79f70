import { isAlive, type ProcessTable } from '../../processes'
import type { Survivor } from './orphanedPool'
import type { LedgerEntry } from '../ledger/workerLedger'

/**
 * Which workers of a dead host are still there, and what the others left behind. A pid that belongs to another process
 * by now is none of them: the start time tells.
 */
export async function findSurvivors(entries: readonly LedgerEntry[], processes: ProcessTable): Promise<Survivor[]> {
  if (entries.length === 0) return []
  const survivors: Survivor[] = []
  const dead: LedgerEntry[] = []
  for (const entry of entries) {
    if (await isAlive(processes, entry)) survivors.push({ entry })
    else dead.push(entry)
  }
  // Of a worker that still lives, descendants are ended with it; of one that is gone, they are all there is to show.
  const orphaned = dead.filter((entry) => entry.marker !== null)
  if (orphaned.length === 0) return survivors
  const left = await processes.descendants(
    orphaned.map(({ pid, startTime, marker }) => ({
      identity: { pid, startTime },
      ...(marker === null ? {} : { marker }),
    })),
  )
  for (const parent of orphaned) {
    for (const row of left.get(parent.pid) ?? []) {
      if (row.state === 'zombie') continue
      const worker = `${parent.worker}/${row.identity.pid}`
      survivors.push({
        entry: {
          ...parent,
          pid: row.identity.pid,
          startTime: row.identity.startTime,
          worker,
          task: parent.task === null ? row.command : `${row.command} of ${parent.task}`,
        },
        descendantOf: parent.worker,
      })
    }
  }
  return survivors
}
