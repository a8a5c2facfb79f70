import { basename, dirname } from 'node:path'
import { createStream, type RotatingFileStream } from 'rotating-file-stream'
import type { KillLedgerEntry } from '../../shutdown'

/** Every signal that was ever sent from this workspace, on disk: one JSON line each; the newest two megabytes are kept. */
export class KillLog {
  private readonly stream: RotatingFileStream

  constructor(file: string) {
    this.stream = createStream(basename(file), { path: dirname(file), size: '1M', rotate: 1, mode: 0o600 })
    // A full disk costs the record, not the shutdown.
    this.stream.on('error', () => undefined)
    this.stream.on('warning', () => undefined)
  }

  record(entry: KillLedgerEntry): void {
    if (!this.stream.writableEnded) this.stream.write(`${JSON.stringify(entry)}\n`)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.stream.once('error', () => { resolve() })
      this.stream.end(() => { resolve() })
    })
  }
}
