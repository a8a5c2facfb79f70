import { closeSync, constants, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import type { KillLedgerEntry } from '../../shutdown'

/** The file and the one before it: the newest two megabytes are kept. */
const mostBytes = 1024 * 1024

/**
 * Every signal that was ever sent from this workspace, on disk: one JSON line each. A line is written when this
 * returns: what a host that is killed in the middle of a terminate has sent is known all the same, and no thread that
 * hangs in a file system keeps it waiting.
 */
export class KillLog {
  readonly #file: string
  readonly #onError: (error: unknown) => void

  #descriptor: number | undefined
  #bytes = 0

  /** @param onError Told of a write that failed, e.g. on a full disk: that costs the record, not the shutdown. */
  constructor(file: string, onError: (error: unknown) => void) {
    this.#file = file
    this.#onError = onError

    this.#attempt(() => {
      this.#open()
    })
  }

  record(entry: KillLedgerEntry): void {
    this.#attempt(() => {
      if (this.#descriptor === undefined) return
      if (this.#bytes > mostBytes) {
        this.close()
        renameSync(this.#file, `${this.#file}.1`)
        this.#open()
      }
      this.#bytes += writeSync(this.#descriptor, `${JSON.stringify(entry)}\n`)
    })
  }

  close(): void {
    if (this.#descriptor === undefined) return
    closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #open(): void {
    const descriptor = openSync(
      this.#file,
      constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      0o600,
    )
    this.#descriptor = descriptor
    this.#bytes = fstatSync(descriptor).size
    const last = Buffer.alloc(1)
    // Half a line of a full disk must not swallow the next one.
    if (this.#bytes > 0 && readSync(descriptor, last, 0, 1, this.#bytes - 1) === 1 && last[0] !== 0x0a)
      this.#bytes += writeSync(descriptor, '\n')
  }

  #attempt(body: () => void): void {
    try {
      body()
    } catch (error) {
      this.#onError(error)
    }
  }
}
