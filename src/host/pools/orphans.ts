import type { ProcessTable } from '../../processes'
import type { KillLedger } from '../../shutdown'
import { findSurvivors } from './findSurvivors'
import { readLedger, WorkerLedger } from '../ledger/workerLedger'
import type { Log } from '../terms/log'
import type { StateLog } from '../state/stateLog'
import type { PoolReports } from './hostedPool'
import { OrphanedPool, type Survivor } from './orphanedPool'
import type { PoolRegistry } from './poolRegistry'

/** Where the survivors of a dead host are listed and reported. */
export interface OrphanContext {
  readonly processes: ProcessTable
  readonly kills: KillLedger
  readonly log: Log
  readonly state: StateLog
  readonly pools: PoolRegistry
  readonly reports: PoolReports
}

/** A Node or Python worker of a dead host is ended by its lifeline; only one that outlives this time is an orphan. */
const persistentWorkersLeaveMs = 2000

/** Reads the ledger of the previous host, lists its survivors as orphaned pools, and opens a new ledger with these. */
export async function takeOverLedger(file: string, context: OrphanContext): Promise<WorkerLedger> {
  const { processes, log } = context
  const survivors = await findSurvivors(await readLedger(file), processes)
  const ledger = new WorkerLedger(
    file,
    survivors.map(({ entry }) => entry),
    (error) => {
      log.warn('The ledger was not written.', error)
    },
  )
  const leaving = survivors.filter(({ entry, descendantOf }) => entry.kind !== 'command' && descendantOf === undefined)
  show(
    survivors.filter((survivor) => !leaving.includes(survivor)),
    ledger,
    context,
  )
  if (leaving.length > 0)
    setTimeout(() => {
      void lookAgain(leaving, ledger, context)
    }, persistentWorkersLeaveMs).unref()
  return ledger
}

async function lookAgain(leaving: readonly Survivor[], ledger: WorkerLedger, context: OrphanContext): Promise<void> {
  const before = leaving.map(({ entry }) => entry)
  const stayed = await findSurvivors(before, context.processes)
  for (const entry of before) if (!stayed.some((survivor) => survivor.entry.pid === entry.pid)) ledger.exited(entry)
  for (const { entry } of stayed) if (!before.includes(entry)) ledger.started(entry)
  show(stayed, ledger, context)
}

function show(survivors: readonly Survivor[], ledger: WorkerLedger, context: OrphanContext): void {
  const { processes, kills, log, state, pools, reports } = context
  for (const poolId of new Set(survivors.map(({ entry }) => entry.poolId))) {
    const members = survivors.filter(({ entry }) => entry.poolId === poolId)
    const name = members[0]?.entry.pool ?? poolId
    const pool: OrphanedPool = new OrphanedPool(poolId, name, members, processes, kills, {
      ...state.changesOf(poolId),
      exited: (entry) => {
        ledger.exited(entry)
      },
      shutdown: reports.shutdown,
      ended: () => {
        reports.ended(pool)
      },
    })
    pools.add(pool)
    for (const worker of pool.workerNames()) state.workerChanged(poolId, worker)
    log.warn('A dead host left processes behind.', { pool: name, pids: members.map(({ entry }) => entry.pid) })
  }
}
