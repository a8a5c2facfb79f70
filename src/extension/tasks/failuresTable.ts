import * as l10n from '@vscode/l10n'
import type { TaskFailures } from '../../protocol'
import {
  alignColumns,
  columnWidths,
  cutToWidth,
  displayWidth,
  exitText,
  failureStateText,
  formatDuration,
  plainLine,
  reasonText,
} from '../../words'

/** Rows in the terminal; the report has them all. */
const mostRows = 30
/** A longer label would push the other columns out of sight. */
const longestCell = 40
/** A message cut to less than this says nothing; it gets a line of its own instead. */
const shortestMessage = 30
const gap = '  '

/** The tasks that were not done, as aligned columns that fit the terminal. Empty when there are none. */
export function failuresTable({ failures, total }: TaskFailures, columns: number): string[] {
  if (failures.length === 0) return []
  const shown = failures.slice(-mostRows)
  const titles = [l10n.t('Task'), l10n.t('State'), l10n.t('Exit'), l10n.t('Worker'), l10n.t('Time')]
  const rows = shown.map((failure) =>
    [
      failure.label,
      failureStateText(failure.state),
      exitText(failure) ?? '',
      failure.worker === '' ? '' : `${failure.worker} (${failure.pid})`,
      formatDuration(failure.elapsedMs),
    ].map((text) => cell(text, longestCell)),
  )
  const reasons = shown.map(reasonText)
  const before = columnWidths([titles, ...rows]).reduce((sum, width) => sum + width + gap.length, 0)
  const room = columns - 1 - before
  const longest = Math.max(...[l10n.t('Message'), ...reasons].map((text) => displayWidth(text)))
  const lines =
    room >= shortestMessage || room >= longest
      ? wideTable(titles, rows, reasons, room)
      : narrowTable(titles, rows, reasons, columns)
  if (total > shown.length) lines.push(l10n.t('… and {0} more: see “Pools: Show Report”.', total - shown.length))
  return lines
}

function wideTable(
  titles: readonly string[],
  rows: readonly string[][],
  reasons: readonly string[],
  room: number,
): string[] {
  return ruled(
    [...titles, l10n.t('Message')],
    rows.map((row, index) => [...row, cell(reasons[index] ?? '', room)]),
  )
}

/** Each message below its row. */
function narrowTable(
  titles: readonly string[],
  rows: readonly string[][],
  reasons: readonly string[],
  columns: number,
): string[] {
  const room = Math.max(shortestMessage, columns - 1 - gap.length)
  const [header = '', rule = '', ...lines] = ruled(titles, rows)
  return [
    header,
    rule,
    ...lines.flatMap((line, index) => {
      const reason = cell(reasons[index] ?? '', room)
      return reason === '' ? [line] : [line, `${gap}${reason}`]
    }),
  ]
}

/** The columns with a rule below their titles. */
function ruled(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const rule = columnWidths([titles, ...rows]).map((width) => '─'.repeat(width))
  return alignColumns([titles, rule, ...rows])
}

function cell(text: string, width: number): string {
  return cutToWidth(plainLine((text.split(/\r?\n/, 1)[0] ?? '').trim()), width)
}
