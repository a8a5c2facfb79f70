import { deserialize, serialize } from 'node:v8'

/**
 * What travels between a pool and one of its module workers, over a pipe of their own (never stdio, never Node's IPC channel,
 * so that a task's own use of either cannot disturb it). A frame is `length:u32 kind:u8 task:u32 payload`, little endian;
 * the payload is a structured clone (`v8.serialize`). Task and kind stand outside of it, so that a payload that cannot be read
 * still belongs to a task.
 */
export const FrameKind = {
  /** pool → worker: which module to load. */
  init: 1,
  run: 2,
  /** worker → pool: the module is loaded (the first ack). */
  ready: 3,
  loadFailed: 4,
  returned: 5,
  threw: 6,
  /** The task returned something that cannot be cloned. */
  unserializable: 7,
  /** An uncaught error is about to end the worker, unless the module handles it. */
  uncaught: 8,
} as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

export interface Frame {
  readonly kind: FrameKind
  readonly task: number
  readonly payload: Buffer
}

const headerLength = 9
/** A longer frame means that something else wrote to the pipe: v8 itself cannot make buffers much larger than this. */
const maxPayloadLength = 2 ** 31

/** One frame, ready to be written. @throws DataCloneError when `value` cannot be cloned */
export function encodeFrame(kind: FrameKind, task: number, value: unknown): Buffer {
  return frameOf(kind, task, serialize(value))
}

/** A frame around a payload that is serialized already. */
export function frameOf(kind: FrameKind, task: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerLength + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt8(kind, 4)
  frame.writeUInt32LE(task, 5)
  payload.copy(frame, headerLength)
  return frame
}

/** @throws when the payload is not a structured clone */
export function decodePayload(payload: Buffer): unknown {
  return deserialize(payload)
}

/** The pipe carried something that is not a frame: somebody else writes to it. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** Cuts a stream of chunks into frames; a large frame is joined once, when its last chunk is there. */
export class FrameReader {
  #chunks: Buffer[] = []
  #length = 0
  #needed = headerLength

  /** By default it takes frames of every kind. `accepts` is asked when a header is there, before its payload is waited for. */
  constructor(private readonly accepts: (kind: number, task: number) => boolean = (kind) => kind >= FrameKind.init && kind <= FrameKind.uncaught) {}

  /** @throws FrameError */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length < this.#needed) return []
    const buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length)
    const frames: Frame[] = []
    let offset = 0
    this.#needed = headerLength
    while (buffer.length - offset >= headerLength) {
      const length = buffer.readUInt32LE(offset)
      const kind = buffer.readUInt8(offset + 4)
      if (length > maxPayloadLength || !this.accepts(kind, buffer.readUInt32LE(offset + 5))) {
        throw new FrameError(`the worker's channel carried ${length} bytes of kind ${kind}, which was not expected: something else writes to file descriptor 3`)
      }
      const end = offset + headerLength + length
      if (buffer.length < end) {
        this.#needed = headerLength + length
        break
      }
      frames.push({ kind: kind as FrameKind, task: buffer.readUInt32LE(offset + 5), payload: buffer.subarray(offset + headerLength, end) })
      offset = end
    }
    const rest = buffer.subarray(offset)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#length = rest.length
    return frames
  }
}
