import { describe, expect, it } from 'vitest'
import { FrameError, FrameKind, FrameReader, decodePayload, encodeFrame } from '../../../src/runtimes'

const frames = [
  encodeFrame(FrameKind.ready, 0, ['a']),
  encodeFrame(FrameKind.returned, 7, new Map([[1, 'x']])),
  encodeFrame(FrameKind.threw, 4_000_000_000, 'y'.repeat(5000)),
  encodeFrame(FrameKind.returned, 8, undefined),
]
const values = [['a'], new Map([[1, 'x']]), 'y'.repeat(5000), undefined]

describe('frames', () => {
  it.each([1, 2, 3, 8, 9, 10, 100, 4096, 100_000])('come out whole however the bytes are cut: %i at a time', (size) => {
    const bytes = Buffer.concat(frames)
    const reader = new FrameReader()
    const read = []
    for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)))
    expect(read.map(({ kind }) => kind)).toEqual([FrameKind.ready, FrameKind.returned, FrameKind.threw, FrameKind.returned])
    expect(read.map(({ task }) => task)).toEqual([0, 7, 4_000_000_000, 8])
    expect(read.map(({ payload }) => decodePayload(payload))).toEqual(values)
  })

  it('that are none are an error, not a wait for two gigabytes', () => {
    expect(() => new FrameReader().push(Buffer.from('console.log went to the wrong place'))).toThrow(FrameError)
  })

  it('refuse what cannot be cloned', () => {
    expect(() => encodeFrame(FrameKind.returned, 1, () => 1)).toThrow(/could not be cloned/)
  })
})
