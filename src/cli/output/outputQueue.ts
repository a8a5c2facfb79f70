import { write } from 'node:fs'

/** Text a slow reader may hold up before worker output is dropped; the host's files still have all of it. */
const defaultLimitBytes = 16 * 1024 * 1024
/** A pipe that somebody else made non-blocking is full: look again after this. */
const retryAfterMs = 20
/** Writes of this size keep the order of two streams and are few enough system calls. */
const batchBytes = 256 * 1024

interface Entry {
  readonly fd: number
  readonly bytes: Buffer
}

/**
 * Writes to stdout and stderr in order and in the background. `process.stdout` blocks the whole process while a pipe is
 * full (Node: "pipes and sockets are synchronous" on Linux), and a blocked process can neither answer Ctrl-C nor its
 * host.
 */
export class OutputQueue {
  readonly #limitBytes: number
  readonly #writeFd: typeof write

  readonly #entries: Entry[] = []
  readonly #closed = new Set<number>()
  #queuedBytes = 0
  #writing = false
  #droppedLines = 0
  readonly #waiting: (() => void)[] = []

  constructor(limitBytes = defaultLimitBytes, writeFd: typeof write = write) {
    this.#limitBytes = limitBytes
    this.#writeFd = writeFd
  }

  /** Queues text. With `mayDrop` (worker output) a full queue drops it and says so once there is room. */
  push(fd: number, text: string, { mayDrop = false }: { mayDrop?: boolean } = {}): void {
    if (text === '' || this.#closed.has(fd)) return
    if (mayDrop && this.#queuedBytes > this.#limitBytes) {
      this.#droppedLines += 1
      return
    }
    this.#add(fd, text)
    this.#pump()
  }

  /** Resolves when everything queued so far is written (or its reader is gone). */
  async drained(): Promise<void> {
    if (!this.#writing) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #add(fd: number, text: string): void {
    const bytes = Buffer.from(text)
    this.#entries.push({ fd, bytes })
    this.#queuedBytes += bytes.length
  }

  #pump(): void {
    if (this.#writing) return
    const batch = this.#nextBatch()
    if (batch === undefined) {
      for (const resolve of this.#waiting.splice(0)) resolve()
      return
    }
    this.#writing = true
    this.#send(batch.fd, batch.bytes)
  }

  /** Adjacent entries of the same stream, joined. */
  #nextBatch(): Entry | undefined {
    if (this.#droppedLines > 0 && this.#queuedBytes < this.#limitBytes / 2) {
      this.#add(2, `(${this.#droppedLines} lines not shown: whatever reads this output is too slow)\n`)
      this.#droppedLines = 0
    }
    const first = this.#entries[0]
    if (first === undefined) return undefined
    let count = 1
    let length = first.bytes.length
    for (
      let next = this.#entries[count];
      next?.fd === first.fd && length + next.bytes.length <= batchBytes;
      next = this.#entries[count]
    ) {
      length += next.bytes.length
      count += 1
    }
    const batch = this.#entries.splice(0, count)
    return {
      fd: first.fd,
      bytes:
        count === 1
          ? first.bytes
          : Buffer.concat(
              batch.map((entry) => entry.bytes),
              length,
            ),
    }
  }

  #send(fd: number, bytes: Buffer): void {
    this.#writeFd(fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => {
          this.#send(fd, bytes)
        }, retryAfterMs)
        return
      }
      if (error === null && written < bytes.length) {
        this.#queuedBytes -= written
        this.#send(fd, bytes.subarray(written))
        return
      }
      // EPIPE (`| head` has seen enough), EIO (the terminal is gone): the rest has no reader, which is no failure of
      // ours.
      if (error !== null) this.#closed.add(fd)
      this.#queuedBytes -= bytes.length
      this.#writing = false
      if (error !== null) this.#discard(fd)
      this.#pump()
    })
  }

  #discard(fd: number): void {
    const kept = this.#entries.filter((entry) => entry.fd !== fd)
    this.#entries.splice(0, this.#entries.length, ...kept)
    this.#queuedBytes = kept.reduce((sum, entry) => sum + entry.bytes.length, 0)
  }
}
