import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessIdentity, type ProcessTable } from '../../processes'
import { removeForeign, type Endpoint, type HostEnd } from '../../discovery'
import { KillLedger, type KillLedgerEntry } from '../../shutdown'
import { KillLog } from '../ledger/killLog'
import { findHostProcess } from './hostProcess'

/**
 * Before a process is gone the kernel reclaims its memory: some hundred milliseconds for a large process on a loaded
 * machine.
 */
const endsWithinMs = 3000
const lookMs = 20

/**
 * Ends an unresponsive host by SIGKILL. Not by the shutdown of a pool, which would also end descendants: the host's
 * workers end by their lifelines or are taken over by the next host, as after any other death of a host.
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
