import type { ProcessTable } from '../../../processes'
import type { PolicyActed } from '../../../protocol'
import type { KillLedger, ShutdownReport } from '../../../shutdown'
import type { WorkerLedger } from '../../ledger/workerLedger'
import type { Log } from '../../terms/log'
import type { HostedPool, ShutdownOrder } from '../../pools/hostedPool'
import type { PoolRegistry } from '../../pools/poolRegistry'
import type { StateLog } from '../../state/stateLog'
import type { TerminalPrograms } from './terminalPrograms'

/** What watching programs needs of the host. */
export interface ProgramContext {
  /** The host's private folder. */
  readonly directory: string
  /** Real path of the workspace root. */
  readonly root: string
  readonly processes: ProcessTable
  readonly kills: KillLedger
  readonly log: Log
  readonly state: StateLog
  readonly pools: PoolRegistry
  ledger(): WorkerLedger | undefined
  terminalPrograms(): TerminalPrograms | undefined
  /** A report of the shutdown core, for everybody who is connected. */
  shutdown(report: ShutdownReport, order: ShutdownOrder): void
  /** What `onStuck` does, for everybody who is connected. */
  acted(what: PolicyActed): void
  ended(pool: HostedPool): void
  /** Somebody is connected, who would like to see news soon. */
  somebodyLooks(): boolean
  /** Throws when this host takes nothing new. */
  mustBeOpen(): void
}
