import * as l10n from '@vscode/l10n'
import type { GetFailures } from '../../protocol'
import { formatPreciseDuration } from '../text/durations'
import { exitText } from '../text/exits'
import { taskStateText } from '../text/states'
import { plainLine } from './outputLines'

/** Rows in the terminal; the report has them all. */
const mostRows = 30
/** A label longer than this would push the other columns out of sight. */
const longestCell = 40
/** Narrower than this a message says nothing; then the table may wrap. */
const shortestMessage = 20
const gap = '  '

/** The tasks that were not done, as aligned columns that fit the terminal. Empty when there are none. */
export function failuresTable({ failures, total }: GetFailures.Result, columns: number): string[] {
  if (failures.length === 0) return []
  const shown = failures.slice(-mostRows)
  const titles = [l10n.t('Task'), l10n.t('State'), l10n.t('Exit'), l10n.t('Worker'), l10n.t('Time')]
  const rows = shown.map((failure) => [
    failure.label,
    stateText(failure.state),
    failure.exitCode === null && failure.signal === null ? '' : exitText(failure.exitCode, failure.signal),
    failure.worker === '' ? '' : `${failure.worker} (${failure.pid})`,
    formatPreciseDuration(failure.elapsedMs),
  ].map((text) => cell(text, longestCell)))
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const before = widths.reduce((sum, width) => sum + width + gap.length, 0)
  const messages = shown.map(({ message }) => cell(message, Math.max(shortestMessage, columns - 1 - before)))
  const messageTitle = l10n.t('Message')
  const line = (row: readonly string[], last: string): string =>
    [...row.map((text, column) => text.padEnd(widths[column] ?? 0)), last].join(gap).trimEnd()
  const lines = [
    line(titles, messageTitle),
    line(widths.map((width) => '─'.repeat(width)), '─'.repeat(Math.max(messageTitle.length, ...messages.map((message) => message.length)))),
    ...rows.map((row, index) => line(row, messages[index] ?? '')),
  ]
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

function cell(text: string, width: number): string {
  const line = plainLine((text.split(/\r?\n/, 1)[0] ?? '').trim())
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
