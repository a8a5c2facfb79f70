import * as l10n from '@vscode/l10n'
import type { GetFailures } from '../../protocol'
import { formatPreciseDuration } from '../text/durations'
import { exitText } from '../text/exits'
import { taskStateText } from '../text/states'
import { plainLine } from './outputLines'

/** Rows in the terminal; the report has them all. */
const mostRows = 30
const longestCell = 60

/** The tasks that were not done, as aligned columns. Empty when there are none. */
export function failuresTable({ failures, total }: GetFailures.Result): string[] {
  if (failures.length === 0) return []
  const shown = failures.slice(-mostRows)
  const header = [l10n.t('Task'), l10n.t('State'), l10n.t('Exit'), l10n.t('Worker'), l10n.t('Time'), l10n.t('Message')]
  const rows = shown.map((failure) => [
    failure.label,
    stateText(failure.state),
    failure.exitCode === null && failure.signal === null ? '' : exitText(failure.exitCode, failure.signal),
    failure.worker === '' ? '' : `${failure.worker} (${failure.pid})`,
    formatPreciseDuration(failure.elapsedMs),
    failure.message,
  ].map(cell))
  const widths = header.map((title, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length), title.length))
  const lines = [header, widths.map((width) => '─'.repeat(width)), ...rows].map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
  if (total > shown.length) lines.push(l10n.t('… and {0} more: see “Pools: Show Report”.', total - shown.length))
  return lines
}

function stateText(state: string): string {
  switch (state) {
    case 'failed':
    case 'lost':
    case 'timedOut':
    case 'cancelled': return taskStateText(state)
    default: return state
  }
}

function cell(text: string): string {
  const line = plainLine((text.split(/\r?\n/, 1)[0] ?? '').trim())
  return line.length <= longestCell ? line : `${line.slice(0, longestCell - 1)}…`
}
