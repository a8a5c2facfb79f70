import type { ProcessIdentity, ProcessRow } from './types'

/** A process whose descendants are wanted. */
export interface DescendantRoot {
  readonly identity: ProcessIdentity
  /** Value of `UNHANG_WORKER` that its descendants inherited. */
  readonly marker?: string
}

/** What {@link findDescendants} needs beside the rows. */
export interface DescendantFacts {
  /** Markers of the processes that have one, by pid. */
  readonly markers: ReadonlyMap<number, string>
  /** Start time as a number that orders processes; any unit. */
  readonly startOf: (identity: ProcessIdentity) => number
  /** How much later than its child a parent may seem to have started, in the unit of `startOf`. */
  readonly slack: number
  /** Pid of the process that asks. */
  readonly self?: number
}

/**
 * For each root, by pid: the processes below it, parents before their children, roots themselves left out. A process
 * belongs to a root
 * - when its parent does (and had started before it: otherwise the parent's pid was reused between two reads),
 * - when it is in a session that one of them leads, because a session is only ever inherited by fork,
 * - when it is in the process group that the root leads and is not the root's sibling (a shell puts a pipeline in one
 *   group),
 * - when its environment carries the root's marker, which alone remains once root and parents are gone. Ancestors of
 *   the root are left out, whatever marker they carry. So is the asking process with its own children: a host that a
 *   shell's command has started is below that shell for a while, and is not part of it.
 *
 * Time and memory are linear in rows plus results.
 */
export function findDescendants(
  rows: readonly ProcessRow[],
  roots: readonly DescendantRoot[],
  facts: DescendantFacts,
): Map<number, ProcessRow[]> {
  const byPid = new Map(rows.map((row) => [row.identity.pid, row]))
  const byParent = groupBy(rows, (row) => row.parentPid)
  const bySession = groupBy(rows, (row) => row.session)
  const byGroup = groupBy(rows, (row) => row.processGroup)
  const byMarker = groupBy(rows, (row) => facts.markers.get(row.identity.pid))
  const results = new Map<number, ProcessRow[]>()

  for (const root of roots) {
    const found = new Map<number, ProcessRow>()
    const rootRow = currentRow(byPid, root.identity)
    const ancestors = rootRow === undefined ? new Set<number>() : ancestorsOf(rootRow, byPid)
    const add = (row: ProcessRow, since: ProcessIdentity): void => {
      if (row.identity.pid === root.identity.pid || row.identity.pid === facts.self || ancestors.has(row.identity.pid))
        return
      if (facts.startOf(row.identity) < facts.startOf(since) - facts.slack) return
      found.set(row.identity.pid, row)
    }
    const addBelow = (row: ProcessRow): void => {
      const { identity } = row
      for (const child of byParent.get(identity.pid) ?? []) add(child, identity)
      if (row.session !== identity.pid) return
      for (const member of bySession.get(identity.pid) ?? []) add(member, identity)
    }

    if (rootRow !== undefined) {
      addBelow(rootRow)
      if (rootRow.processGroup === root.identity.pid) {
        for (const member of byGroup.get(root.identity.pid) ?? []) {
          if (member.parentPid !== rootRow.parentPid) add(member, root.identity)
        }
      }
    }
    if (root.marker !== undefined) {
      for (const row of byMarker.get(root.marker) ?? []) add(row, root.identity)
    }
    // A Map keeps its order and visits what is added on the way: a breadth-first walk.
    for (const row of found.values()) addBelow(row)
    // Two roots may have the same pid, one after the other.
    for (const row of results.get(root.identity.pid) ?? []) found.set(row.identity.pid, row)
    results.set(root.identity.pid, [...found.values()])
  }
  return results
}

/** The row of this very process, not of one that has its pid now. */
function currentRow(byPid: ReadonlyMap<number, ProcessRow>, identity: ProcessIdentity): ProcessRow | undefined {
  const row = byPid.get(identity.pid)
  return row?.identity.startTime === identity.startTime ? row : undefined
}

function ancestorsOf(row: ProcessRow, byPid: ReadonlyMap<number, ProcessRow>): Set<number> {
  const ancestors = new Set<number>()
  // The set also ends a circle, which can appear in a table that was read while pids were reused.
  for (let pid = row.parentPid; pid > 0 && !ancestors.has(pid); pid = byPid.get(pid)?.parentPid ?? 0) ancestors.add(pid)
  return ancestors
}

function groupBy<Key>(
  rows: readonly ProcessRow[],
  keyOf: (row: ProcessRow) => Key | undefined,
): Map<Key, ProcessRow[]> {
  const groups = new Map<Key, ProcessRow[]>()
  for (const row of rows) {
    const key = keyOf(row)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}
