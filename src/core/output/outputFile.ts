import { createWriteStream } from 'node:fs'
import type { WriteStream } from 'node:fs'

/** More than this waiting for a slow disk, and the pipe it comes from is not read further. */
const maxWaitingBytes = 1024 * 1024

/** A file that takes one stream of one task; opened with the first byte. */
export class OutputFile {
  readonly #pathOf: () => string
  #stream: WriteStream | undefined
  #path: string | null = null
  #failed: Error | undefined
  /** Reads on from the pipe; set while the disk is behind. */
  #resume: (() => void) | undefined

  constructor(pathOf: () => string) {
    this.#pathOf = pathOf
  }

  /** null until something was written, and when it could not be. */
  get path(): string | null {
    return this.#path
  }

  /** What went wrong with the file (disk full, folder removed); the task is not ended for that. */
  get failed(): Error | undefined {
    return this.#failed
  }

  /** Calls `resume` later when it returns false: the disk is behind. */
  write(chunk: Buffer, resume: () => void): boolean {
    if (this.#failed) return true
    const stream = this.#stream ?? this.#open()
    if (stream === undefined) return true
    stream.write(chunk)
    if (stream.writableLength < maxWaitingBytes) return true
    this.#resume = resume
    return false
  }

  /** Everything is written and the file is closed; resolves at once when there is none. */
  end(): Promise<void> {
    const stream = this.#stream
    if (stream === undefined || stream.closed || stream.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      stream.once('close', resolve)
      stream.end()
    })
  }

  #open(): WriteStream | undefined {
    try {
      this.#path = this.#pathOf()
    } catch (error) {
      this.#fail(error)
      return undefined
    }
    this.#stream = createWriteStream(this.#path, { mode: 0o600, highWaterMark: 64 * 1024 })
    this.#stream.on('error', (error) => {
      this.#fail(error)
    })
    this.#stream.on('drain', () => {
      this.#goOn()
    })
    return this.#stream
  }

  #fail(error: unknown): void {
    this.#failed ??= error instanceof Error ? error : new Error(String(error))
    this.#path = null
    this.#goOn()
  }

  #goOn(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}
