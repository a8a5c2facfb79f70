import { processTable } from '../processes'
import { KillLedger } from '../shutdown'
import type { ShutdownDependencies } from '../shutdown'

/** Every signal that pools of this process sent, unless a pool was given a ledger of its own. */
export const killLedger = new KillLedger()

/** What pools work on when they are not given anything else (tests, and the host, which keeps its ledger on disk). */
export const defaultSystem: ShutdownDependencies = { processes: processTable, ledger: killLedger }
