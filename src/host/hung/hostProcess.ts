import type { ProcessIdentity, ProcessTable } from '../../processes'
import { readHostInfo, type Endpoint, type HostCondition } from '../../discovery'
import { lockHolder } from '../lifetime/lock'

/**
 * The process that is the host of a workspace now, without asking it anything: named by the lock or host.json, alive as
 * that very process, and by its command line a host of this workspace. null when there is none.
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
 * Whether a process was started as the host of this workspace. A file in the runtime folder is anybody's word who runs
 * as this user, and on its word alone no process is ended. Elsewhere than on Linux nothing tells command lines, and the
 * file has to do.
 */
async function isHostOf(root: string, identity: ProcessIdentity, processes: ProcessTable): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const words = await processes.commandLine(identity)
  const at = words?.indexOf('--root') ?? -1
  return words !== undefined && at > 0 && words[at + 1] === root
}
