import type { ProcessIdentity, ProcessTable } from '../../../processes'

/** Deeper than any program starts programs; a table that changes while it is read could else lead in a circle. */
const deepest = 64

/**
 * Whether a process descends from a program's main process: by its parents, or, where one of them has died, by the mark
 * in its environment.
 */
export async function belongsTo(
  identity: ProcessIdentity,
  root: ProcessIdentity | undefined,
  marker: string,
  processes: ProcessTable,
): Promise<boolean> {
  if (root === undefined) return false
  if (identity.pid === root.pid) return identity.startTime === root.startTime
  let row = await processes.inspect(identity)
  for (let depth = 0; row !== undefined && row.parentPid > 1 && depth < deepest; depth += 1) {
    if (row.parentPid === root.pid) return processes.exists(root)
    const parent = await processes.identify(row.parentPid)
    row = parent && (await processes.inspect(parent))
  }
  const below = await processes.descendants([{ identity: root, marker }])
  return (
    below
      .get(root.pid)
      ?.some((found) => found.identity.pid === identity.pid && found.identity.startTime === identity.startTime) === true
  )
}
