import * as l10n from '@vscode/l10n'
import type { PoolHeader } from '../../protocol'
import { formatDuration } from '../text/durations'
import { finishedTasks, totalTasks, unsuccessfulTasks } from '../text/rows'

const barCells = 20

/** `[██████░░░░] 7 of 12 · 3 busy · 1 stuck · 2 failed · 12 s left`, cut to the terminal's width. */
export function progressLine(pool: PoolHeader, elapsedMs: number, columns: number): string {
  const { counts } = pool
  const total = totalTasks(counts)
  const finished = finishedTasks(counts)
  const parts = [l10n.t('{0} of {1}', finished, total)]
  if (counts.running > 0) parts.push(l10n.t('{0} busy', counts.running))
  if (counts.stuck > 0) parts.push(l10n.t('{0} stuck', counts.stuck))
  if (unsuccessfulTasks(counts) > 0) parts.push(l10n.t('{0} not done', unsuccessfulTasks(counts)))
  parts.push(formatDuration(elapsedMs))
  if (pool.etaMs !== null) parts.push(l10n.t('{0} left', formatDuration(pool.etaMs)))
  const filled = total === 0 ? 0 : Math.floor((finished / total) * barCells)
  const line = `[${'█'.repeat(filled)}${'░'.repeat(barCells - filled)}] ${parts.join(' · ')}`
  // One column is left free: a line that fills the last one wraps in some terminals and could not be redrawn in place.
  const width = Math.max(1, columns - 1)
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}
