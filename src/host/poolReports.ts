import type { Clients } from './connection/clients'
import type { PoolReports } from './pools/hostedPool'
import { wireReport } from './pools/reports'
import type { Log } from './terms/log'

/**
 * Reports the events of all pools to the log and to every client.
 * @param ended Called after the end of a pool was reported.
 */
export function poolReports(log: Log, clients: Clients, ended: () => void): PoolReports {
  return {
    shutdown: (report, { askedBy, reason }) => {
      const { subject, issues } = report
      if (issues.length > 0) log.warn('A shutdown has issues.', { subject, askedBy, reason, issues })
      else log.info('A shutdown is done.', { subject, askedBy, reason, durationMs: Math.round(report.durationMs) })
      clients.notifyShutdown({ askedBy, reason, report: wireReport(report) })
    },
    acted: (policy) => {
      clients.notifyPolicy(policy)
    },
    ended: (pool) => {
      log.info('A pool has ended.', { id: pool.id, name: pool.name, counts: pool.header().counts })
      clients.flushOutput(pool.id)
      ended()
    },
  }
}
