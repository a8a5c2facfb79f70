import * as l10n from '@vscode/l10n'
import type { ShutdownReportWire } from '../../protocol'

/** One issue in full, more of them counted. */
export function issuesMessage(reports: readonly ShutdownReportWire[]): string {
  const issues = reports.flatMap((report) => report.issues)
  const [first] = issues
  const names = [...new Set(reports.map((report) => report.subject.name))].join(', ')
  if (first === undefined) return ''
  if (issues.length === 1) return l10n.t('{0}: {1}', names, first)
  return l10n.t('{0}: {1} issues after the shutdown. {2}', names, issues.length, first)
}
