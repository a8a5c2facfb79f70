import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameError, FrameReader, FrameWriter, headerLength } from '../../../../src/runtimes/wire/frames'
import type { FrameKind } from '../../../../src/runtimes/wire/frames'

interface Frame {
  readonly kind: number
  readonly number: number
  readonly extra: number
  readonly payload: Buffer
  readonly isText: boolean
  readonly flush: boolean
}

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 100 }) },
  fc.integer({ min: 8180, max: 8200 }),
  fc.integer({ min: 65_500, max: 65_560 }),
  fc.integer({ min: 0, max: 200_000 }),
)
const frame: fc.Arbitrary<Frame> = fc.record({
  kind: fc.integer({ min: 1, max: 24 }),
  number: fc.integer({ min: 0, max: 0xffff_ffff }),
  extra: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc
    .tuple(size, fc.constantFrom('a', 'é', '😀'))
    .map(([bytes, letter]) => Buffer.from(letter.repeat(bytes / Buffer.byteLength(letter)))),
  isText: fc.boolean(),
  flush: fc.boolean(),
})

/** What a writer hands on; it must not change afterwards, so it is looked at only at the end. */
function written(frames: readonly Frame[]): Buffer {
  const chunks: Buffer[] = []
  const writer = new FrameWriter((bytes, payload) => chunks.push(bytes, ...(payload ? [payload] : [])))
  for (const { kind, number, extra, payload, isText, flush } of frames) {
    if (isText) writer.text(kind as FrameKind, number, extra, payload.toString('utf8'))
    else writer.bytes(kind as FrameKind, number, extra, payload)
    if (flush) writer.flush()
  }
  writer.flush()
  return Buffer.concat(chunks)
}

describe('frames', () => {
  it('arrive as they were written, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 30 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1 }),
        (frames, cuts) => {
          const read: [number, number, number, string][] = []
          const reader = new FrameReader({
            accepts: () => true,
            frame: (kind, number, extra, bytes, start, end) => {
              read.push([kind, number, extra, bytes.toString('latin1', start, end)])
            },
          })
          const stream = written(frames)
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const length = cuts[cut % cuts.length] ?? 1
            // Mostly small cuts of a long stream would take long.
            const end = at + (cut > 500 ? 70_000 : length)
            reader.push(Buffer.from(stream.subarray(at, end)))
            at = end
          }
          expect(read).toEqual(
            frames.map(({ kind, number, extra, payload }) => [kind, number, extra, payload.toString('latin1')]),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('are refused by the first header that nobody expects, and never kept waiting for', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.uint8Array({ minLength: headerLength, maxLength: 40 }),
        (frames, garbage) => {
          let left = frames.length
          const reader = new FrameReader({
            accepts: () => left > 0,
            frame: () => {
              left--
            },
          })
          reader.push(written(frames))
          expect(left).toBe(0)
          expect(() => {
            reader.push(Buffer.from(garbage))
          }).toThrow(FrameError)
        },
      ),
      { numRuns: 60 },
    )
  })
})
