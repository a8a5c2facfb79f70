import { rm } from 'node:fs/promises'
import { isAlive, type ProcessIdentity, type ProcessTable } from '../../../processes'
import type { RunningProgram } from '../../../protocol'
import { readLedger, WorkerLedger, type LedgerEntry } from '../../ledger/workerLedger'

/**
 * The programs of people's terminals that are watched, on disk: they outlive their host, and the next one can say that
 * they still run. Not in the ledger of workers, which has what a host owns and may end.
 */
export class TerminalPrograms {
  readonly #file: string
  readonly #ledger: WorkerLedger
  #left: readonly LedgerEntry[]
  readonly #processes: ProcessTable

  private constructor(file: string, ledger: WorkerLedger, left: readonly LedgerEntry[], processes: ProcessTable) {
    this.#file = file
    this.#ledger = ledger
    this.#left = left
    this.#processes = processes
  }

  /** @param onError Told of a write that failed, e.g. on a full disk. */
  static async open(
    file: string,
    processes: ProcessTable,
    onError: (error: unknown) => void,
  ): Promise<TerminalPrograms> {
    const left = await stillRunning(await readLedger(file), processes)
    return new TerminalPrograms(file, new WorkerLedger(file, left, onError), left, processes)
  }

  started(
    { pid, startTime }: ProcessIdentity,
    program: { readonly id: string; readonly name: string; readonly startedAt: number },
  ): void {
    this.#ledger.started({
      pid,
      startTime,
      poolId: program.id,
      pool: program.name,
      kind: 'program',
      worker: 'MainProcess',
      task: null,
      marker: null,
      startedAt: program.startedAt,
    })
  }

  exited(identity: ProcessIdentity): void {
    this.#ledger.exited(identity)
  }

  /** Those that a host before this one watched and that still run, the same process and not only the same pid. */
  async unwatched(): Promise<RunningProgram[]> {
    const running = await stillRunning(this.#left, this.#processes)
    for (const entry of this.#left) if (!running.includes(entry)) this.#ledger.exited(entry)
    this.#left = running
    return running.map(({ pool, pid }) => ({ name: pool, pid }))
  }

  /** For the next host; nothing stays on disk when nothing runs. */
  async close(): Promise<void> {
    this.#ledger.close()
    if (this.#ledger.size === 0) await rm(this.#file, { force: true })
  }
}

async function stillRunning(entries: readonly LedgerEntry[], processes: ProcessTable): Promise<LedgerEntry[]> {
  const running: LedgerEntry[] = []
  for (const entry of entries) if (await isAlive(processes, entry)) running.push(entry)
  return running
}
