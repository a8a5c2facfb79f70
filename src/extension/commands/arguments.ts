import { isPoolsNode, type PoolsNode } from '../view/nodes'

/**
 * What a command was called on. A row menu passes `(row, selectedRows)`, an inline button only the row, a code lens or
 * a keybinding an object with `poolId` or `label` (and `folder`, the URI of its workspace folder), the palette nothing.
 */
export interface CommandArguments {
  readonly rows: readonly PoolsNode[]
  readonly poolId: string | undefined
  readonly label: string | undefined
  /** Which folder's `label`; undefined for any. */
  readonly folder: string | undefined
}

/** Reads a command's arguments; whatever makes no sense counts as nothing. */
export function readArguments(args: readonly unknown[]): CommandArguments {
  const [first, second] = args
  const selected: unknown[] = Array.isArray(second) ? second : []
  const rows = (selected.length > 0 ? selected : [first]).filter(isPoolsNode)
  const named =
    rows.length === 0 && typeof first === 'object' && first !== null ? (first as Readonly<Record<string, unknown>>) : {}
  return { rows, poolId: textOf(named.poolId), label: textOf(named.label), folder: textOf(named.folder) }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The pools that rows belong to, each once. */
export function poolIdsOf(rows: readonly PoolsNode[]): string[] {
  return [...new Set(rows.map((row) => row.poolId))]
}

/** Workers that rows stand for: a worker's own row, or that of its task. */
export function workersOf(rows: readonly PoolsNode[]): { poolId: string; name: string }[] {
  const workers = new Map<string, { poolId: string; name: string }>()
  for (const row of rows) {
    const name = row.kind === 'worker' ? row.name : row.kind === 'task' ? row.worker : undefined
    if (name !== undefined) workers.set(`${row.poolId}/${name}`, { poolId: row.poolId, name })
  }
  return [...workers.values()]
}
