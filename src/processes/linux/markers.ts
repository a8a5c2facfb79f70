import type { ProcessRow } from '../types'
import { beforeDeadline, memoryFileDeadlineMs, readMemoryFile, tooLate } from './memoryFile'
import { isGoneOrForbidden, isOutOfDescriptors } from './procFile'

/** The environment variable by which a worker's descendants are known after they were re-parented. */
export const markerVariable = 'UNHANG_WORKER'

/** More at a time would only fill the four threads of the pool. */
const parallelReads = 8
/** A process this young may be between fork and exec: its environment is still its parent's. */
const settledAfterMs = 2000

/**
 * Reads the marker out of processes' environments and remembers it, since neither changes during a process' life (but
 * for exec, see above). A process that cannot be read has no marker: only processes that are proven ours are ever
 * touched.
 */
export class MarkerReader {
  readonly #deadlineMs: number
  readonly #readEnvironment: (pid: number) => Promise<string>

  readonly #known = new Map<number, { startTime: string; marker: string | undefined }>()

  constructor(
    deadlineMs = memoryFileDeadlineMs,
    readEnvironment = (pid: number): Promise<string> => readMemoryFile(`/proc/${pid}/environ`),
  ) {
    this.#deadlineMs = deadlineMs
    this.#readEnvironment = readEnvironment
  }

  /** Markers of these processes, by pid; only of those that have one. `ageMs` tells how long a process has run. */
  async read(rows: readonly ProcessRow[], ageMs: (row: ProcessRow) => number): Promise<Map<number, string>> {
    const found = new Map<number, string>()
    const unknown: ProcessRow[] = []
    for (const row of rows) {
      const known = this.#known.get(row.identity.pid)
      if (known?.startTime === row.identity.startTime) {
        if (known.marker !== undefined) found.set(row.identity.pid, known.marker)
      } else if (row.state !== 'zombie' && row.state !== 'uninterruptible' && row.state !== 'idle') {
        unknown.push(row)
      }
    }
    const next = unknown.values()
    const reader = async (): Promise<void> => {
      for (const row of next) {
        const { pid, startTime } = row.identity
        const { marker, ask } = await this.#readOne(pid)
        if (marker !== undefined) found.set(pid, marker)
        // A process whose reading timed out is not read again: each attempt may hold one of the pool's threads
        // indefinitely.
        if (marker !== undefined || ask === 'never' || (ask === 'while young' && ageMs(row) > settledAfterMs))
          this.#known.set(pid, { startTime, marker })
      }
    }
    await Promise.all(Array.from({ length: Math.min(parallelReads, unknown.length) }, reader))
    return found
  }

  /** Forgets processes that are no longer in the table. */
  forgetAllBut(table: readonly ProcessRow[]): void {
    // A pass pays off only once most of the known processes may be gone.
    if (this.#known.size <= 2 * table.length) return
    const alive = new Set(table.map((row) => row.identity.pid))
    for (const pid of this.#known.keys()) if (!alive.has(pid)) this.#known.delete(pid)
  }

  async #readOne(pid: number): Promise<{ marker: string | undefined; ask: 'while young' | 'again' | 'never' }> {
    const content = this.#readEnvironment(pid).then(
      (text) => ({ marker: markerIn(text), ask: 'while young' as const }),
      (error: unknown) => {
        if (isGoneOrForbidden(error)) return { marker: undefined, ask: 'while young' as const }
        // A process that cannot be proven ours is left alone; the shutdown of the others goes on.
        if (isOutOfDescriptors(error)) return { marker: undefined, ask: 'again' as const }
        throw error
      },
    )
    const read = await beforeDeadline(content, this.#deadlineMs)
    return read === tooLate ? { marker: undefined, ask: 'never' } : read
  }
}

/** The marker in the text of an environ file: `NAME=value` joined by NUL. */
export function markerIn(environment: string): string | undefined {
  const prefix = `${markerVariable}=`
  return environment
    .split('\0')
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length)
}
