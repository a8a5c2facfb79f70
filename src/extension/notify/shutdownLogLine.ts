import type { Notifications } from '../../protocol'
import { poolIdOfSubject } from '../report/subjects'

/** A shutdown as one line of the log: of what, why, and what it took. */
export function shutdownLogLine(
  { report: { subject, workers, durationMs }, askedBy, reason }: Notifications['unhang/shutdownDone'],
  poolName: string | undefined,
): string {
  const poolId = poolIdOfSubject(subject.id)
  const what =
    poolId === subject.id
      ? `pool ${subject.name} (${subject.id})`
      : `${subject.name} of pool ${poolName === undefined ? poolId : `${poolName} (${poolId})`}`
  const why = reason.includes(askedBy) ? reason : `asked by ${askedBy}: ${reason}`
  const signalled = workers.filter((worker) => worker.sent.length > 0).length
  return (
    `Shutdown of ${what}, ${why}; ${workers.length} ${workers.length === 1 ? 'process' : 'processes'}, ` +
    `${signalled} signalled, ${Math.round(durationMs)} ms.`
  )
}
