import * as l10n from '@vscode/l10n'
import { type CountsSnapshot, type PoolHeader, stuckIn } from '../../protocol'
import { cutToWidth, finishedTasks, formatSeconds, totalTasks, unsuccessfulTasks } from '../../words'

const barCells = 20

/**
 * What a program does in the meantime: `2 pools · 7 of 12 done · 3 busy · 1 lost · 1 stuck · 12 s`, of all its pools
 * together.
 */
export function programProgressLine(pools: readonly PoolHeader[], elapsedMs: number, columns: number): string {
  const live = pools.filter(({ state }) => state !== 'ended')
  const total = pools.reduce((sum, { counts }) => sum + totalTasks(counts), 0)
  const sum = (count: keyof CountsSnapshot): number => pools.reduce((all, { counts }) => all + counts[count], 0)
  const stuck = live.reduce((all, pool) => all + stuckIn(pool), 0)
  const parts = [
    live.length === 0 ? l10n.t('no pool') : live.length === 1 ? l10n.t('1 pool') : l10n.t('{0} pools', live.length),
  ]
  if (total > 0) parts.push(l10n.t('{0} of {1} done', sum('done'), total))
  if (sum('running') > 0) parts.push(l10n.t('{0} busy', sum('running')))
  if (sum('failed') > 0) parts.push(l10n.t('{0} failed', sum('failed')))
  if (sum('lost') > 0) parts.push(l10n.t('{0} lost', sum('lost')))
  if (stuck > 0) parts.push(l10n.t('{0} stuck', stuck))
  parts.push(formatSeconds(elapsedMs))
  return fitted(parts.join(' · '), columns)
}

/** `[██████░░░░] 7 of 12 · 3 busy · 1 stuck · 2 failed · 12 s left`, cut to the terminal's width. */
export function progressLine(pool: PoolHeader, elapsedMs: number, columns: number): string {
  const { counts } = pool
  const total = totalTasks(counts)
  const finished = finishedTasks(counts)
  const parts = [l10n.t('{0} of {1}', finished, total)]
  if (counts.running > 0) parts.push(l10n.t('{0} busy', counts.running))
  if (counts.stuck > 0) parts.push(l10n.t('{0} stuck', counts.stuck))
  if (unsuccessfulTasks(counts) > 0) parts.push(l10n.t('{0} not done', unsuccessfulTasks(counts)))
  parts.push(formatSeconds(elapsedMs))
  if (pool.etaMs !== null) parts.push(l10n.t('{0} left', formatSeconds(pool.etaMs)))
  const filled = total === 0 ? 0 : Math.floor((finished / total) * barCells)
  const line = `[${'█'.repeat(filled)}${'░'.repeat(barCells - filled)}] ${parts.join(' · ')}`
  return fitted(line, columns)
}

/** One column is left free: a line that fills the last one wraps in some terminals and cannot be redrawn. */
function fitted(line: string, columns: number): string {
  return cutToWidth(line, Math.max(1, columns - 1))
}
