import type { TaskFailures } from '../../protocol'
import { alignColumns, cutToWidth, failureStateText, formatDuration, plainLine, reasonWithExit } from '../../words'
import { plainPalette, type Palette } from '../output/palette'

/** Longer messages are cut: the table is for finding the task, the files and `--json` have everything. */
const maxMessageWidth = 160

const header = ['TASK', 'STATE', 'WORKER', 'PID', 'AFTER', 'WHY'] as const
const rightAligned = [3, 4] as const

/** The tasks that did not end as `done`, as a table; no lines when there are none. */
export function failuresTable({ failures, total }: TaskFailures, palette: Palette = plainPalette): string[] {
  if (failures.length === 0) return []
  const rows = failures.map((failure) => [
    plainLine(failure.label),
    palette.bad(failureStateText(failure.state)),
    plainLine(failure.worker),
    failure.pid > 0 ? String(failure.pid) : '',
    failure.pid > 0 ? formatDuration(failure.elapsedMs) : '',
    cutToWidth(plainLine(reasonWithExit(failure)), maxMessageWidth),
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
