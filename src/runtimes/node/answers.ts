import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { frameOf, headerLength, putHeader } from '../wire/frames'
import type { FrameKind } from '../wire/frames'
import { channelFd } from '../wire/workerProcess'

const scratchBytes = 64 * 1024

/**
 * Writes a worker's answers. A small answer is written at once, in one system call, before anything else happens: when
 * the next task kills the process, the answer is safe in the kernel, and only the running task is lost. An answer that
 * the kernel has no room for is written through the stream; the methods then return a promise.
 */
export class Answers {
  readonly #channel: Socket

  readonly #scratch = Buffer.allocUnsafe(scratchBytes)

  constructor(channel: Socket) {
    this.#channel = channel
  }

  empty(kind: FrameKind, number: number, extra: number): Promise<void> | undefined {
    putHeader(this.#scratch, 0, kind, number, extra, 0)
    return this.#send(this.#scratch, headerLength)
  }

  json(kind: FrameKind, number: number, extra: number, value: unknown): Promise<void> | undefined {
    const text = JSON.stringify(value)
    if (headerLength + text.length * 3 > scratchBytes) return this.bytes(kind, number, extra, Buffer.from(text, 'utf8'))
    const length = this.#scratch.write(text, headerLength, 'utf8')
    putHeader(this.#scratch, 0, kind, number, extra, length)
    return this.#send(this.#scratch, headerLength + length)
  }

  bytes(kind: FrameKind, number: number, extra: number, payload: Buffer): Promise<void> | undefined {
    if (headerLength + payload.length <= scratchBytes) {
      putHeader(this.#scratch, 0, kind, number, extra, payload.length)
      payload.copy(this.#scratch, headerLength)
      return this.#send(this.#scratch, headerLength + payload.length)
    }
    const header = Buffer.allocUnsafe(headerLength)
    putHeader(header, 0, kind, number, extra, payload.length)
    // Two buffers in one call: copying a large payload would cost more than everything else.
    this.#channel.cork()
    this.#channel.write(header)
    const written = this.#write(payload)
    this.#channel.uncork()
    return written
  }

  /** The process is about to end: written now or not at all. */
  lastWords(kind: FrameKind, number: number, payload: Buffer): void {
    // Half a frame may be waiting to be written, and another frame inside it would break the channel.
    if (this.#channel.writableLength > 0) return
    try {
      writeSync(channelFd, frameOf(kind, number, 0, payload))
    } catch {
      // The socket is full or closed: the pool still learns the exit code, and stderr has the error.
    }
  }

  #send(bytes: Buffer, length: number): Promise<void> | undefined {
    let written = 0
    // A pipe of Windows cannot be written to by its descriptor while libuv owns it.
    if (this.#channel.writableLength === 0 && process.platform !== 'win32') {
      try {
        written = writeSync(channelFd, bytes, 0, length)
      } catch {
        // EAGAIN: the pool has not read yet, and the channel waits for room. The channel reports all other errors.
      }
    }
    if (written === length) return undefined
    return this.#write(Buffer.from(bytes.subarray(written, length)))
  }

  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#channel.write(bytes, () => {
        resolve()
      })
    })
  }
}
