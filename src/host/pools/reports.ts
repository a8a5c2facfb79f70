import type { ShutdownReportWire } from '../../protocol'
import type { ShutdownReport } from '../../shutdown'

/** The shutdown core's report as it travels: plain data that a client of another version can read. */
export function wireReport(report: ShutdownReport): ShutdownReportWire {
  return {
    subject: { id: report.subject.id, name: report.subject.name },
    startedAt: report.startedAt,
    durationMs: Math.round(report.durationMs),
    workers: report.workers.map((worker) => ({
      name: worker.name,
      pid: worker.pid,
      descendantOf: worker.descendantOf,
      sent: worker.sent.map(({ signal, atMs, outcome }) => ({ signal, atMs: Math.round(atMs), outcome })),
      foreseen: [...worker.foreseen],
      outcome: worker.outcome,
      endedAfterMs: worker.endedAfterMs === undefined ? undefined : Math.round(worker.endedAfterMs),
    })),
    issues: [...report.issues],
  }
}
