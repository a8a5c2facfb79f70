import { failureReason, type TaskFailures, type TaskFailure } from '../../protocol'
import { alignColumns } from '../output/columns'
import { plainLine } from '../output/plainText'
import { plainPalette, type Palette } from '../output/palette'
import { formatExit } from '../words/exit'
import { formatDuration } from '../words/quantities'

/** Longer messages are cut: the table is for finding the task, the files and `--json` have everything. */
const maxMessageLength = 160

const header = ['TASK', 'STATE', 'WORKER', 'PID', 'AFTER', 'WHY'] as const
const rightAligned = [3, 4] as const

/** The tasks that did not end as `done`, as a table; no lines when there are none. */
export function failuresTable({ failures, total }: TaskFailures, palette: Palette = plainPalette): string[] {
  if (failures.length === 0) return []
  const rows = failures.map((failure) => [
    plainLine(failure.label),
    palette.bad(stateWords(failure.state)),
    plainLine(failure.worker),
    failure.pid > 0 ? String(failure.pid) : '',
    failure.pid > 0 ? formatDuration(failure.elapsedMs) : '',
    plainLine(whyFailed(failure)),
  ])
  const lines = alignColumns([header.map((title) => palette.dim(title)), ...rows], {
    indent: '  ',
    right: rightAligned,
  })
  if (total > failures.length) lines.push(`  … and ${total - failures.length} more`)
  const withOutput = failures.find((failure) => failure.stderrPath !== null)
  if (withOutput?.stderrPath) lines.push(`  full output, for example: ${plainLine(withOutput.stderrPath)}`)
  return lines
}

function stateWords(state: string): string {
  return state === 'timedOut' ? 'timed out' : state
}

function whyFailed(failure: TaskFailure): string {
  const exit = formatExit(failure)
  const message = failureReason(failure)
  const both = exit === undefined || message.includes(exit) ? message : message === '' ? exit : `${exit}: ${message}`
  return both.length > maxMessageLength ? `${both.slice(0, maxMessageLength - 1)}…` : both
}
