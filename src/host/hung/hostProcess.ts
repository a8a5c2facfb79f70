import type { ProcessIdentity, ProcessTable } from '../../processes'
import { readHostInfo, type Endpoint, type HostCondition } from '../../discovery'
import { lockHolder } from '../lifetime/lock'

/**
 * The process of a workspace's host, found without a request to it: named by the lock or host.json, alive with the same
 * start time, and by its command line a host of this workspace. null when there is none.
 */
export async function findHostProcess(endpoint: Endpoint, processes: ProcessTable): Promise<HostCondition> {
  const named = [await lockHolder(endpoint.directory), await readHostInfo(endpoint)].filter(
    (identity) => identity !== undefined,
  )
  for (const { pid, startTime } of named) {
    const identity = { pid, startTime }
    const row = await processes.inspect(identity)
    if (row !== undefined && row.state !== 'zombie' && (await isHostOf(endpoint.root, identity, processes)))
      return { pid, startTime, state: row.state }
  }
  return null
}

/**
 * Whether a process was started as the host of this workspace. Any process of this user can write the files of the
 * runtime folder, so no process is ended on the strength of such a file alone. Except on Linux command lines are not
 * available, and the file has to suffice.
 */
async function isHostOf(root: string, identity: ProcessIdentity, processes: ProcessTable): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const words = await processes.commandLine(identity)
  const at = words?.indexOf('--root') ?? -1
  return words !== undefined && at > 0 && words[at + 1] === root
}
