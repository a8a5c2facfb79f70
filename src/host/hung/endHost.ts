import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessIdentity, type ProcessTable } from '../../processes'
import { removeForeign, type Endpoint, type HostEnd } from '../../discovery'
import { KillLedger, type KillLedgerEntry } from '../../shutdown'
import { KillLog } from '../ledger/killLog'
import { findHostProcess } from './hostProcess'

/**
 * The kernel takes the memory of a process back before it is gone: some hundred milliseconds for a large one on a
 * loaded machine.
 */
const endsWithinMs = 3000
const lookMs = 20

/**
 * Ends a host that answers nobody, by SIGKILL. Not through the shutdown of a pool: that ends what a process started as
 * well, and a host's workers end by their own lifelines or go over to the next host, as they do when a host is killed
 * by anybody else.
 */
export async function endHost(
  endpoint: Endpoint,
  { pid, startTime }: ProcessIdentity,
  askedBy: KillLedgerEntry['askedBy'],
  processes: ProcessTable,
): Promise<HostEnd> {
  const identity = { pid, startTime }
  if (!(await isAlive(processes, identity))) return 'gone'
  const host = await findHostProcess(endpoint, processes)
  if (host?.pid !== pid || host.startTime !== startTime) return 'other'
  await removeForeign(endpoint.killsFile, 'file')
  const killLog = new KillLog(endpoint.killsFile, (error) => {
    process.emitWarning(`The end of the host was not written to the kill ledger: ${String(error)}`)
  })
  const kills = new KillLedger({
    sink: (entry) => {
      killLog.record(entry)
    },
  })
  // The process table checks the identity again, and sends in the same step.
  const outcome = await processes.signal(identity, 'SIGKILL')
  kills.record({
    at: Date.now(),
    identity,
    name: 'host',
    subjectId: 'host',
    signal: 'SIGKILL',
    outcome,
    reason: 'the host did not answer',
    askedBy,
  })
  killLog.close()
  switch (outcome) {
    case 'gone':
    case 'reused':
      return 'gone'
    case 'protected':
      return 'other'
    case 'denied':
      return 'denied'
    case 'sent':
      return (await endsSoon(identity, processes)) ? 'killed' : 'unkillable'
  }
}

async function endsSoon(identity: ProcessIdentity, processes: ProcessTable): Promise<boolean> {
  const deadline = performance.now() + endsWithinMs
  while (await isAlive(processes, identity)) {
    if (performance.now() >= deadline) return false
    await sleep(lookMs)
  }
  return true
}
