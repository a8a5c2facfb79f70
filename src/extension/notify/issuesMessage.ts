import * as l10n from '@vscode/l10n'
import type { ShutdownReportWire } from '../../protocol'
import { poolIdOfSubject } from '../report/subjects'

/** One issue in full, more of them counted, after the pools they are of: an issue names its worker itself. */
export function issuesMessage(
  reports: readonly ShutdownReportWire[],
  poolName: (poolId: string) => string | undefined,
): string {
  const issues = reports.flatMap((report) => report.issues)
  const [first] = issues
  const names = [...new Set(reports.map(({ subject }) => nameOfPool(subject, poolName)))].join(', ')
  if (first === undefined) return ''
  if (issues.length === 1) return l10n.t('{0}: {1}', names, first)
  return l10n.t('{0}: {1} issues after the shutdown. {2}', names, issues.length, first)
}

function nameOfPool(
  { id, name }: ShutdownReportWire['subject'],
  poolName: (poolId: string) => string | undefined,
): string {
  const poolId = poolIdOfSubject(id)
  return poolName(poolId) ?? (poolId === id ? name : poolId)
}
