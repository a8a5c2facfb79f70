import * as l10n from '@vscode/l10n'
import type { TaskFailures } from '../../protocol'
import { formatPreciseDuration } from '../text/durations'
import { exitOf, reasonOf } from '../text/failures'
import { taskStateText } from '../text/states'
import { plainLine } from './outputLines'

/** Rows in the terminal; the report has them all. */
const mostRows = 30
/** A label longer than this would push the other columns out of sight. */
const longestCell = 40
/** Narrower than this a message says nothing; then it has a line of its own. */
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
      stateText(failure.state),
      exitOf(failure),
      failure.worker === '' ? '' : `${failure.worker} (${failure.pid})`,
      formatPreciseDuration(failure.elapsedMs),
    ].map((text) => cell(text, longestCell)),
  )
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const before = widths.reduce((sum, width) => sum + width + gap.length, 0)
  const reasons = shown.map(reasonOf)
  const room = columns - 1 - before
  const fits =
    room >= shortestMessage || room >= Math.max(l10n.t('Message').length, ...reasons.map((reason) => reason.length))
  const lines = fits
    ? wideTable(titles, rows, reasons, widths, room)
    : narrowTable(titles, rows, reasons, widths, columns)
  if (total > shown.length) lines.push(l10n.t('… and {0} more: see “Pools: Show Report”.', total - shown.length))
  return lines
}

function wideTable(
  titles: readonly string[],
  rows: readonly string[][],
  reasons: readonly string[],
  widths: readonly number[],
  room: number,
): string[] {
  const title = l10n.t('Message')
  const messages = reasons.map((reason) => cell(reason, room))
  return [
    aligned([...titles, title], widths),
    aligned(
      [
        ...widths.map((width) => '─'.repeat(width)),
        '─'.repeat(Math.max(title.length, ...messages.map((message) => message.length))),
      ],
      widths,
    ),
    ...rows.map((row, index) => aligned([...row, messages[index] ?? ''], widths)),
  ]
}

/** Each message below its row. */
function narrowTable(
  titles: readonly string[],
  rows: readonly string[][],
  reasons: readonly string[],
  widths: readonly number[],
  columns: number,
): string[] {
  const room = Math.max(shortestMessage, columns - 1 - gap.length)
  return [
    aligned(titles, widths),
    aligned(
      widths.map((width) => '─'.repeat(width)),
      widths,
    ),
    ...rows.flatMap((row, index) => {
      const reason = cell(reasons[index] ?? '', room)
      return reason === '' ? [aligned(row, widths)] : [aligned(row, widths), `${gap}${reason}`]
    }),
  ]
}

function aligned(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((text, column) => text.padEnd(widths[column] ?? 0))
    .join(gap)
    .trimEnd()
}

function stateText(state: string): string {
  switch (state) {
    case 'failed':
    case 'lost':
    case 'timedOut':
    case 'cancelled':
      return taskStateText(state)
    default:
      return state
  }
}

function cell(text: string, width: number): string {
  const line = plainLine((text.split(/\r?\n/, 1)[0] ?? '').trim())
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
