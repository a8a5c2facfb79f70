import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { ProcessIdentity } from '../../processes'

const entrySchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  poolId: z.string(),
  pool: z.string(),
  /** `module`, `python` or `command`, or `program`. */
  kind: z.string(),
  worker: z.string(),
  /** The label of what it runs; a module worker's changes too often to be written down. */
  task: z.string().nullable(),
  /** Value of UNHANG_WORKER, which finds what it left behind. */
  marker: z.string().nullable(),
  startedAt: z.number(),
})
/** A worker that was alive when it was written down. */
export type LedgerEntry = z.infer<typeof entrySchema>

const lineSchema = z.union([
  z.object({ start: entrySchema }),
  z.object({ exit: z.object({ pid: z.number().int(), startTime: z.string() }) }),
])

/** Lines beyond those of live workers after which the file is written afresh: some 200 kB. */
const spareLines = 1000

/**
 * The live workers, on disk, so that the next host finds those that outlive this one. One line for each start and each
 * exit, written before anything else happens, so that it survives SIGKILL (the page cache is the kernel's). Lines lost
 * in a power failure do not matter: the processes are lost too.
 */
export class WorkerLedger {
  readonly #file: string
  readonly #onError: (error: unknown) => void

  readonly #live: Map<string, LedgerEntry>
  #descriptor: number | undefined
  #lines = 0

  /**
   * Opens the ledger anew, with these entries in it.
   * @param onError Told of a write that failed, e.g. on a full disk: the pools go on.
   */
  constructor(file: string, survivors: readonly LedgerEntry[], onError: (error: unknown) => void) {
    this.#file = file
    this.#onError = onError

    this.#live = new Map(survivors.map((entry) => [keyOf(entry), entry]))
    this.#compact()
  }

  get size(): number {
    return this.#live.size
  }

  started(entry: LedgerEntry): void {
    this.#live.set(keyOf(entry), entry)
    this.#append({ start: entry })
  }

  exited(identity: ProcessIdentity): void {
    if (!this.#live.delete(keyOf(identity))) return
    this.#append({ exit: { pid: identity.pid, startTime: identity.startTime } })
  }

  close(): void {
    if (this.#descriptor === undefined) return
    closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #append(line: z.infer<typeof lineSchema>): void {
    this.#lines += 1
    if (this.#lines > this.#live.size * 2 + spareLines) {
      this.#compact()
      return
    }
    if (this.#descriptor === undefined) return
    try {
      writeSync(this.#descriptor, `${JSON.stringify(line)}\n`)
    } catch (error) {
      this.#onError(error)
    }
  }

  /** Writes the file afresh beside the old one and puts it in its place. */
  #compact(): void {
    try {
      const draft = `${this.#file}.draft`
      writeFileSync(draft, [...this.#live.values()].map((entry) => `${JSON.stringify({ start: entry })}\n`).join(''), {
        mode: 0o600,
      })
      const descriptor = openSync(draft, 'a')
      renameSync(draft, this.#file)
      this.close()
      this.#descriptor = descriptor
      this.#lines = this.#live.size
    } catch (error) {
      this.#onError(error)
    }
  }
}

/**
 * The workers that were alive when the ledger was last written. A line that makes no sense is skipped: a host may die
 * while it writes.
 */
export async function readLedger(file: string): Promise<LedgerEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  })
  const live = new Map<string, LedgerEntry>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch {
      continue
    }
    const checked = lineSchema.safeParse(parsed)
    if (!checked.success) continue
    if ('start' in checked.data) live.set(keyOf(checked.data.start), checked.data.start)
    else live.delete(keyOf(checked.data.exit))
  }
  return [...live.values()]
}

function keyOf({ pid, startTime }: ProcessIdentity): string {
  return `${pid} ${startTime}`
}
