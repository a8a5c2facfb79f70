import {
  FrameError,
  FrameKind,
  FrameReader,
  FrameWriter,
  frameOf,
  largestAhead,
} from '../../../src/runtimes/wire/frames'
import { packThrown, unpackRemote, type PackedThrown } from '../../../src/runtimes/wire/thrown'
import { mustEqual, pieces, type FuzzTarget } from '../target'

const fromWorkers = new Set<number>([
  FrameKind.ready,
  FrameKind.loadFailed,
  FrameKind.returnedJson,
  FrameKind.returned,
  FrameKind.threw,
  FrameKind.unserializable,
  FrameKind.uncaught,
  FrameKind.recalled,
  FrameKind.overMemory,
  FrameKind.returnedBytes,
])

function read(chunks: readonly Buffer[]): { frames: unknown[]; refused: string | undefined } {
  const frames: unknown[] = []
  const reader = new FrameReader({
    accepts: (kind) => fromWorkers.has(kind),
    frame: (kind, number, extra, bytes, start, end) => {
      if (start < 0 || end > bytes.length || end < start)
        throw new Error(`a payload from ${start} to ${end} of ${bytes.length} bytes`)
      frames.push([kind, number, extra, bytes.toString('latin1', start, end)])
    },
  })
  try {
    for (const chunk of chunks) reader.push(chunk)
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return { frames, refused: error.message }
  }
  return { frames, refused: undefined }
}

/** Frames that are as good as these must be read as they were written. */
function mustReturn(frames: readonly unknown[]): void {
  const written: Buffer[] = []
  const writer = new FrameWriter((bytes, payload) =>
    written.push(Buffer.from(bytes), ...(payload ? [Buffer.from(payload)] : [])),
  )
  for (const [kind, number, extra, payload] of frames as [FrameKind, number, number, string][])
    writer.bytes(kind, number, extra, Buffer.from(payload, 'latin1'))
  writer.flush()
  mustEqual('read and written again', read(written).frames, frames)
}

/** An error of a task is one of any name and any form: a worker is believed that it threw, not what. */
function mustUnpack(payload: string): void {
  let packed: unknown
  try {
    packed = JSON.parse(Buffer.from(payload, 'latin1').toString('utf8'))
  } catch {
    return
  }
  if (!isPacked(packed)) return
  const thrown = unpackRemote(packed, 'PoolWorker-1', 4711)
  if (packed.kind === 'error' && !(thrown instanceof Error))
    throw new Error(`an error that is none: ${JSON.stringify(packed)}`)
}

function isPacked(value: unknown): value is PackedThrown {
  const { kind, name, message, properties } = (value ?? {}) as Record<string, unknown>
  const whole =
    typeof name === 'string' && typeof message === 'string' && typeof properties === 'object' && properties !== null
  return (
    kind === 'value' ||
    (kind === 'error' && whole && !('cause' in (value as object)) && !('errors' in (value as object)))
  )
}

const frame = (kind: FrameKind, payload = '') => frameOf(kind, 7, 3, Buffer.from(payload))
const header = (length: number, kind: number) => {
  const bytes = frame(FrameKind.ready)
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt8(kind, 4)
  return bytes
}

export const target: FuzzTarget = {
  run(input) {
    const whole = read([Buffer.from(input)])
    mustEqual('read at once and in pieces', whole, read(pieces(input)))
    mustReturn(whole.frames)
    for (const [, , , payload] of whole.frames as unknown as [number, number, number, string][]) mustUnpack(payload)
  },
  seeds: [
    frame(FrameKind.ready),
    Buffer.concat([frame(FrameKind.returnedJson, '{"a":1}'), frame(FrameKind.returned, 'x'.repeat(300))]),
    frame(FrameKind.returnedBytes, 'y'.repeat(9000)),
    frame(FrameKind.threw, JSON.stringify(packThrown(new TypeError('no')))),
    header(2 ** 31, FrameKind.returned),
    header(2 ** 32 - 1, FrameKind.returned),
    header(70_000, FrameKind.returned),
    header(5, 99),
    frame(FrameKind.threw, '{"kind":"error","name":"RangeError","message":"m","properties":{"code":1}}'),
  ],
  dictionary: [
    ...[0, 1, 13, 255, 8192, 65_523, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1].map((value) =>
      Buffer.from(new Uint32Array([value]).buffer),
    ),
    ...[...fromWorkers].map((kind) => Buffer.from([kind])),
    header(0, FrameKind.returned),
    header(4, FrameKind.returnedJson),
    ...[
      '"kind":"error"',
      '"name":"toString"',
      '"name":"constructor"',
      '"name":"__proto__"',
      '"message":""',
      '"stack":"a"',
      '"properties":{}',
      '"__proto__":{}',
      '{',
      '}',
      ',',
    ].map((text) => Buffer.from(text)),
  ],
  largestAllocation: largestAhead,
}
