import * as l10n from '@vscode/l10n'
import type { ListedProcess } from '../../protocol'

/** A line of the process picker. */
export type ProcessLine =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'process'; readonly pid: number; readonly label: string; readonly description: string }

/** Command lines are read from their beginning; the rest is in the terminal that they were typed in. */
const longestCommand = 100
/** An em space: a picker takes ordinary ones at the start away. */
const step = '\u2003'

/**
 * What a program could be picked from: those of the workspace first, children below their parents, the newest first.
 */
export function processLines(processes: readonly ListedProcess[]): ProcessLine[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]))
  const children = new Map<number, ListedProcess[]>()
  for (const process of processes) {
    if (process.parentPid === process.pid || !byPid.has(process.parentPid)) continue
    children.set(process.parentPid, [...(children.get(process.parentPid) ?? []), process])
  }
  const below = (process: ListedProcess, depth: number, seen: ReadonlySet<number>): ProcessLine[] => [
    line(process, depth),
    ...newestFirst((children.get(process.pid) ?? []).filter(({ pid }) => !seen.has(pid))).flatMap((child) =>
      below(child, depth + 1, new Set([...seen, child.pid])),
    ),
  ]
  const roots = processes.filter(({ pid, parentPid }) => parentPid === pid || !byPid.has(parentPid))
  // A tree is of the workspace when anything in it is: its root may be a terminal's shell.
  const inWorkspace = (process: ListedProcess): boolean =>
    process.inWorkspace || (children.get(process.pid) ?? []).some((child) => inWorkspace(child))
  return [[true, l10n.t('In this workspace')] as const, [false, l10n.t('Elsewhere')] as const].flatMap(
    ([inside, heading]) => {
      const lines = newestFirst(roots.filter((root) => inWorkspace(root) === inside)).flatMap((root) =>
        below(root, 0, new Set([root.pid])),
      )
      return lines.length === 0 ? [] : [{ kind: 'heading' as const, text: heading }, ...lines]
    },
  )
}

function line({ pid, command, kind, children, poolWorkers }: ListedProcess, depth: number): ProcessLine {
  const parts = [l10n.t('pid {0}', pid)]
  if (kind !== 'other') parts.push(kind === 'python' ? l10n.t('Python') : l10n.t('Node.js'))
  if (poolWorkers > 0) parts.push(poolWorkers === 1 ? l10n.t('1 pool worker') : l10n.t('{0} pool workers', poolWorkers))
  else if (children > 0) parts.push(children === 1 ? l10n.t('1 child') : l10n.t('{0} children', children))
  const text = command.replace(/\s+/g, ' ').trim()
  const shown = text.length > longestCommand ? `${text.slice(0, longestCommand - 1)}…` : text
  return {
    kind: 'process',
    pid,
    label: `${step.repeat(depth)}${shown === '' ? l10n.t('(no command line)') : shown}`,
    description: parts.join(' · '),
  }
}

/** With pools before without: those are what one looks for. A higher pid is a later start, until they are used up. */
function newestFirst(processes: readonly ListedProcess[]): ListedProcess[] {
  return [...processes].sort((a, b) => Number(b.poolWorkers > 0) - Number(a.poolWorkers > 0) || b.pid - a.pid)
}
