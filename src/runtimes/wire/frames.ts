/**
 * The frames between a pool and one of its persistent workers, over a socket of their own (never stdio, never Node's
 * IPC channel, so that a task may use both freely). A frame is `length:u32 kind:u8 number:u32 extra:u32 payload`,
 * little endian; `length` counts the payload alone. Number and kind stand outside the payload, so that a payload that
 * cannot be read can still be assigned to its task. Workers of every runtime use them: src/runtimes/README.md has the
 * table.
 */
export const FrameKind = {
  // pool → worker
  init: 1,
  define: 2,
  runJson: 3,
  runClone: 4,
  softTimeout: 5,
  recallMark: 6,
  /** The one argument is a Buffer: the payload is its bytes (Node only). */
  runBytes: 7,
  // worker → pool
  ready: 16,
  loadFailed: 17,
  returnedJson: 18,
  returned: 19,
  threw: 20,
  unserializable: 21,
  uncaught: 22,
  recalled: 23,
  overMemory: 24,
  /** The value is a Buffer: the payload is its bytes (Node only). */
  returnedBytes: 25,
} as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

/** Upper half of `extra` of a run. */
export const RunFlag = {
  /** Answer with the value; without it only whether it worked matters. */
  keepResult: 1,
  /** It was sent ahead: to be claimed before it starts (see claims.ts). */
  claim: 2,
  /** The arguments are a list of items: the function is called with each of them, and the result is the list. */
  chunk: 4,
  /** With `chunk`: each item is a list of arguments. */
  star: 8,
  /** The pool's own: the one argument is a Buffer. */
  bytes: 16,
} as const

export const headerLength = 13
/**
 * A longer frame means that something else wrote to the socket: v8 itself cannot make buffers much larger than this.
 */
const maxPayloadLength = 2 ** 31
const slabBytes = 64 * 1024
/** What is set aside for a frame before its bytes have come: a header alone must not take two gigabytes. */
export const largestAhead = 16 * 1024 * 1024
/** Larger payloads are written as they are, smaller ones are gathered: a copy costs less than a system call. */
export const gatheredBytes = 8 * 1024

/** Writes a header. */
export function putHeader(
  target: Buffer,
  offset: number,
  kind: number,
  number: number,
  extra: number,
  length: number,
): void {
  putUint32(target, offset, length)
  target[offset + 4] = kind
  putUint32(target, offset + 5, number)
  putUint32(target, offset + 9, extra)
}

/** Buffer's own writers check every call; this runs several times for each of a million tasks. */
function putUint32(target: Buffer, offset: number, value: number): void {
  target[offset] = value
  target[offset + 1] = value >>> 8
  target[offset + 2] = value >>> 16
  target[offset + 3] = value >>> 24
}

/** One frame, ready to be written. */
export function frameOf(kind: FrameKind, number: number, extra: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerLength + payload.length)
  putHeader(frame, 0, kind, number, extra, payload.length)
  payload.copy(frame, headerLength)
  return frame
}

/** Gathers frames, so that many small ones cost one write. */
export class FrameWriter {
  readonly #write: (bytes: Buffer, payload?: Buffer) => void

  #slab = Buffer.allocUnsafe(slabBytes)
  #start = 0
  #end = 0

  /** `write` gets whole frames, a large one with its payload apart; what it got is never changed afterwards. */
  constructor(write: (bytes: Buffer, payload?: Buffer) => void) {
    this.#write = write
  }

  /** A frame whose payload is text. */
  text(kind: FrameKind, number: number, extra: number, payload: string): void {
    const most = headerLength + payload.length * 3
    if (most > slabBytes) {
      this.bytes(kind, number, extra, Buffer.from(payload, 'utf8'))
      return
    }
    if (most > slabBytes - this.#end) this.#turn()
    const length = this.#slab.write(payload, this.#end + headerLength, 'utf8')
    putHeader(this.#slab, this.#end, kind, number, extra, length)
    this.#end += headerLength + length
  }

  /** A frame whose payload is bytes, which must not change until they are written when there are many. */
  bytes(kind: FrameKind, number: number, extra: number, payload: Buffer): void {
    const gathered = payload.length <= gatheredBytes
    if (headerLength + (gathered ? payload.length : 0) > slabBytes - this.#end) this.#turn()
    putHeader(this.#slab, this.#end, kind, number, extra, payload.length)
    this.#end += headerLength
    if (gathered) {
      this.#end += payload.copy(this.#slab, this.#end)
      return
    }
    this.flush(payload)
  }

  flush(payload?: Buffer): void {
    if (this.#end === this.#start) return
    const frames = this.#slab.subarray(this.#start, this.#end)
    this.#start = this.#end
    this.#write(frames, payload)
  }

  #turn(): void {
    this.flush()
    // The old buffer may still be in use by a pending write.
    this.#slab = Buffer.allocUnsafe(slabBytes)
    this.#start = 0
    this.#end = 0
  }
}

/** The channel carried something that is not a frame: another program writes to it. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export interface FrameSink {
  /** Asked when a header is there, before its payload is waited for. */
  accepts(kind: number, number: number): boolean
  /**
   * `bytes` from `start` to `end` is the payload. It is never overwritten; keeping a small one for long would keep a
   * large buffer.
   */
  frame(kind: FrameKind, number: number, extra: number, bytes: Buffer, start: number, end: number): void
}

/**
 * Cuts a stream of chunks into frames. A large frame is assembled in a buffer of its own size, with each byte copied
 * once; a very large one in a buffer that grows.
 */
export class FrameReader {
  readonly #sink: FrameSink

  /** The beginning of a frame whose rest has not come. */
  #rest: Buffer | undefined
  /** A large frame that is being filled, header included. */
  #large: Buffer | undefined
  /** Bytes of that frame, of which so many have come. */
  #whole = 0
  #filled = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** @throws FrameError */
  push(chunk: Buffer): void {
    let bytes = chunk
    let offset = 0
    if (this.#large !== undefined) {
      const taken = Math.min(chunk.length, this.#whole - this.#filled)
      const large = this.#roomFor(this.#large, this.#filled + taken)
      this.#large = large
      this.#filled += chunk.copy(large, this.#filled, 0, taken)
      if (this.#filled < this.#whole) return
      this.#large = undefined
      this.#deliver(large, 0)
      offset = taken
    } else if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk])
      this.#rest = undefined
    }
    while (bytes.length - offset >= headerLength) {
      const length = bytes.readUInt32LE(offset)
      const kind = bytes[offset + 4] ?? 0
      if (length > maxPayloadLength || !this.#sink.accepts(kind, bytes.readUInt32LE(offset + 5))) {
        throw new FrameError(
          `the worker's channel carried ${length} bytes of kind ${kind}, which was not expected: something else ` +
            'writes to file descriptor 3',
        )
      }
      const whole = headerLength + length
      if (bytes.length - offset < whole) {
        if (whole > slabBytes) {
          this.#whole = whole
          this.#large = Buffer.allocUnsafeSlow(Math.min(whole, Math.max(largestAhead, bytes.length - offset)))
          this.#filled = bytes.copy(this.#large, 0, offset)
          return
        }
        break
      }
      this.#deliver(bytes, offset)
      offset += whole
    }
    if (offset < bytes.length) this.#rest = bytes.subarray(offset)
  }

  /** Twice as large each time, so that a byte is copied once more on average. */
  #roomFor(large: Buffer, bytes: number): Buffer {
    if (bytes <= large.length) return large
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#whole, Math.max(bytes, 2 * large.length)))
    large.copy(larger, 0, 0, this.#filled)
    return larger
  }

  #deliver(bytes: Buffer, offset: number): void {
    const start = offset + headerLength
    this.#sink.frame(
      (bytes[offset + 4] ?? 0) as FrameKind,
      bytes.readUInt32LE(offset + 5),
      bytes.readUInt32LE(offset + 9),
      bytes,
      start,
      start + bytes.readUInt32LE(offset),
    )
  }
}
