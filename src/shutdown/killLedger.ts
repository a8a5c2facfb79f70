import type { ProcessIdentity } from '../processes'
import type { KillLedgerEntry } from './types'

/** How a {@link KillLedger} is made. */
export interface KillLedgerOptions {
  /** Entries kept in memory; the oldest go first. */
  readonly capacity?: number
  /**
   * Told of every entry as it is made, e.g. to write it to disk. If it throws, that becomes a process warning: a full
   * disk stops no shutdown.
   */
  readonly sink?: (entry: KillLedgerEntry) => void
  /** What an earlier host sent, read back from disk; not passed to the sink again. */
  readonly restored?: Iterable<KillLedgerEntry>
}

/** Some 2 MB at most, and more than a day of work for a busy pool with a timeout. */
const defaultCapacity = 10_000

/**
 * Every signal this project ever sent, or tried to: who, what, when, why, asked by whom. With it an exit by a signal
 * can be told to be ours or not (see `explainExit`), which no pool library can.
 */
export class KillLedger {
  readonly #capacity: number
  readonly #sink: ((entry: KillLedgerEntry) => void) | undefined
  /** In the order they were made; a Set drops its oldest cheaply. */
  readonly #entries = new Set<KillLedgerEntry>()
  readonly #byProcess = new Map<string, KillLedgerEntry[]>()

  constructor(options: KillLedgerOptions = {}) {
    this.#capacity = options.capacity ?? defaultCapacity
    this.#sink = options.sink
    for (const entry of options.restored ?? []) this.#keep(entry)
  }

  /** Adds an entry and passes it to the sink. */
  record(entry: KillLedgerEntry): void {
    this.#keep(entry)
    try {
      this.#sink?.(entry)
    } catch (error) {
      process.emitWarning(
        `A signal could not be written to the kill ledger: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  /** What was sent to this process, oldest first. */
  entriesFor(identity: ProcessIdentity): readonly KillLedgerEntry[] {
    return this.#byProcess.get(keyOf(identity)) ?? []
  }

  /** Everything that is still remembered, oldest first. */
  entries(): readonly KillLedgerEntry[] {
    return [...this.#entries]
  }

  #keep(entry: KillLedgerEntry): void {
    this.#entries.add(entry)
    const key = keyOf(entry.identity)
    const own = this.#byProcess.get(key)
    if (own === undefined) this.#byProcess.set(key, [entry])
    else own.push(entry)
    for (const oldest of this.#entries) {
      if (this.#entries.size <= this.#capacity) break
      this.#drop(oldest)
    }
  }

  #drop(entry: KillLedgerEntry): void {
    this.#entries.delete(entry)
    const key = keyOf(entry.identity)
    const left = (this.#byProcess.get(key) ?? []).filter((other) => other !== entry)
    if (left.length === 0) this.#byProcess.delete(key)
    else this.#byProcess.set(key, left)
  }
}

/** One string for a process, to look it up by. */
export function keyOf(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.startTime}`
}
