import type { Pool } from '../../core'
import type { WorkerLedger } from '../ledger/workerLedger'
import type { PoolReports } from '../pools/hostedPool'
import { LivePool } from '../pools/livePool'
import type { PoolRegistry } from '../pools/poolRegistry'
import type { Preemptions, PoolTermination } from '../preemption/preemptions'
import type { StateLog } from '../state/stateLog'
import type { Log } from '../terms/log'

/** Where a pool of the host is listed and reported. */
export interface AdoptContext {
  readonly log: Log
  readonly state: StateLog
  readonly pools: PoolRegistry
  /** Undefined before the host has started. */
  readonly ledger: WorkerLedger | undefined
  readonly preemptions: Preemptions
  readonly reports: PoolReports
}

/**
 * Makes a pool of the engine a pool of the host: it is listed in the state, its workers in the ledger, and it is
 * wrapped up as its `termination` says when the machine is going to be taken away.
 * @param label The label in tasks.json that it was launched by.
 */
export function adoptPool(
  pool: Pool,
  label: string | null,
  termination: PoolTermination | undefined,
  { log, state, pools, ledger, preemptions, reports }: AdoptContext,
): void {
  const hosted: LivePool = new LivePool(pool, label, {
    ...state.changesOf(pool.id),
    started: (worker, identity) => {
      ledger?.started({
        pid: identity.pid,
        startTime: identity.startTime,
        poolId: pool.id,
        pool: pool.name,
        kind: pool.kind,
        worker: worker.name,
        task: pool.kind === 'command' ? (worker.task?.label ?? null) : null,
        marker: markerOf(pool.id, worker.name),
        startedAt: worker.startedAt,
      })
    },
    exited: (identity) => {
      ledger?.exited(identity)
    },
    shutdown: reports.shutdown,
    ended: () => {
      preemptions.ended(hosted)
      reports.ended(hosted)
    },
  })
  pools.add(hosted)
  if (termination) preemptions.add(hosted, termination)
  log.info('A pool was launched.', { id: pool.id, name: pool.name, kind: pool.kind })
}

/** As the engine sets UNHANG_WORKER. */
function markerOf(poolId: string, worker: string): string {
  return `${poolId}/${worker}`
}
