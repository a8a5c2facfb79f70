import type { ProcessIdentity, ProcessTable } from './types'

/** True while the process is there and not just a dead one that nobody collected. */
export async function isAlive(processes: ProcessTable, { pid, startTime }: ProcessIdentity): Promise<boolean> {
  const row = await processes.inspect({ pid, startTime })
  return row !== undefined && row.state !== 'zombie'
}
