import type { GetFailures } from '../../protocol'
import { alignColumns } from '../output/columns'
import { plainPalette, type Palette } from '../output/palette'
import { formatExit } from '../words/exit'
import { formatDuration } from '../words/quantities'

/** Longer messages are cut: the table is for finding the task, the files and `--json` have everything. */
const maxMessageLength = 100

const header = ['TASK', 'STATE', 'WHY', 'WORKER', 'PID', 'AFTER'] as const
const rightAligned = [4, 5] as const

/** The tasks that did not end as `done`, as a table; no lines when there are none. */
export function failuresTable({ failures, total }: GetFailures.Result, palette: Palette = plainPalette): string[] {
  if (failures.length === 0) return []
  const rows = failures.map((failure) => [
    failure.label,
    palette.bad(stateWords(failure.state)),
    whyFailed(failure),
    failure.worker,
    failure.pid > 0 ? String(failure.pid) : '',
    failure.pid > 0 ? formatDuration(failure.elapsedMs) : '',
  ])
  const lines = alignColumns([header.map((title) => palette.dim(title)), ...rows], { indent: '  ', right: rightAligned })
  if (total > failures.length) lines.push(`  … and ${total - failures.length} more`)
  const withOutput = failures.find((failure) => failure.stderrPath !== null)
  if (withOutput?.stderrPath) lines.push(`  full output, for example: ${withOutput.stderrPath}`)
  return lines
}

function stateWords(state: string): string {
  return state === 'timedOut' ? 'timed out' : state
}

function whyFailed(failure: GetFailures.Failure): string {
  const exit = formatExit(failure)
  const message = failure.message.split('\n', 1)[0]?.trim() ?? ''
  const both = exit === undefined || message.includes(exit) ? message : message === '' ? exit : `${exit}: ${message}`
  return both.length > maxMessageLength ? `${both.slice(0, maxMessageLength - 1)}…` : both
}
