import { sep } from 'node:path'
import { recogniseProcess } from '../../diagnosis'
import type { ProcessRow } from '../../processes'
import type { ListedProcess } from '../../protocol'
import type { ProgramContext } from './context/programContext'

/** A command line in a picker; the rest is in `ps`. */
const longestCommand = 300
/** Processes that are read at once: their command lines come from another process's memory. */
const atOnce = 50

/**
 * Programs that could be attached to: they have children, or work in the workspace. Not this host, nor what started it.
 */
export async function listProcesses({ processes, root }: ProgramContext): Promise<ListedProcess[]> {
  const rows = (await processes.list()).filter(
    (row) => row.state !== 'zombie' && row.identity.pid > 1 && row.identity.pid !== process.pid,
  )
  const children = new Map<number, ProcessRow[]>()
  for (const row of rows) children.set(row.parentPid, [...(children.get(row.parentPid) ?? []), row])
  const lines = new Map<number, readonly string[]>()
  const folders = new Map<number, string>()
  for (let start = 0; start < rows.length; start += atOnce) {
    await Promise.all(
      rows.slice(start, start + atOnce).map(async ({ identity }) => {
        const line = await processes.commandLine(identity)
        // A kernel thread has none.
        if (line === undefined || line.length === 0) return
        lines.set(identity.pid, line)
        const folder = await processes.workingDirectory(identity)
        if (folder !== undefined) folders.set(identity.pid, folder)
      }),
    )
  }
  return rows.flatMap((row): ListedProcess[] => {
    const { pid } = row.identity
    const commandLine = lines.get(pid)
    if (commandLine === undefined) return []
    const own = children.get(pid) ?? []
    const folder = folders.get(pid) ?? ''
    const inWorkspace = folder === root || folder.startsWith(root + sep)
    const poolWorkers = own.filter((child) => {
      const line = lines.get(child.identity.pid)
      return (
        line !== undefined &&
        recogniseProcess({ commandLine: line, command: child.command, parentCommandLine: commandLine }).role ===
          'pool-worker'
      )
    }).length
    if (!inWorkspace && poolWorkers === 0) return []
    const { kind } = recogniseProcess({
      commandLine,
      command: row.command,
      parentCommandLine: lines.get(row.parentPid) ?? null,
    })
    return [
      {
        pid,
        parentPid: row.parentPid,
        command: commandLine.join(' ').slice(0, longestCommand),
        kind,
        inWorkspace,
        children: own.length,
        poolWorkers,
      },
    ]
  })
}
