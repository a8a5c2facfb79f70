import { isAlive, type ProcessTable } from '../../processes'
import type { Survivor } from './orphanedPool'
import type { LedgerEntry } from '../ledger/workerLedger'

/**
 * The workers of a dead host that still run, and the descendants that its other workers left behind. A pid that was
 * reused since is recognised by its start time.
 */
export async function findSurvivors(entries: readonly LedgerEntry[], processes: ProcessTable): Promise<Survivor[]> {
  if (entries.length === 0) return []
  const survivors: Survivor[] = []
  const dead: LedgerEntry[] = []
  for (const entry of entries) {
    if (await isAlive(processes, entry)) survivors.push({ entry })
    else dead.push(entry)
  }
  // Descendants of a live worker are ended with it; descendants of a dead worker are survivors themselves.
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
