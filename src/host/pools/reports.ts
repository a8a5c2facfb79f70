import type { ShutdownPlanWire, ShutdownReportWire } from '../../protocol'
import type { ShutdownPlan, ShutdownReport } from '../../shutdown'

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
      sent: worker.sent.map(({ signal, atMs, outcome, order }) => ({ signal, atMs: Math.round(atMs), outcome, order })),
      foreseen: [...worker.foreseen],
      outcome: worker.outcome,
      endedAfterMs: worker.endedAfterMs === undefined ? undefined : Math.round(worker.endedAfterMs),
      heldBackBy: worker.heldBackBy,
    })),
    issues: [...report.issues],
  }
}

/** A plan as it travels. */
export function wirePlan({ subject, gracePeriodMs, consequence, processes }: ShutdownPlan): ShutdownPlanWire {
  return {
    subject: { id: subject.id, name: subject.name },
    gracePeriodMs,
    consequence,
    processes: processes.map((planned) => ({ ...planned, signals: [...planned.signals] })),
  }
}
