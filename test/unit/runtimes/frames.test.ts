import { describe, expect, it, vi } from 'vitest'
import { FrameError, FrameKind, FrameReader, FrameWriter } from '../../../src/runtimes'
import { headerLength, largestAhead, putHeader } from '../../../src/runtimes/wire/frames'

interface Read {
  kind: number
  number: number
  extra: number
  payload: string
}

function readerInto(
  read: Read[],
  accepts: (kind: number, number: number) => boolean = (kind) => kind >= 1 && kind <= 24,
): FrameReader {
  return new FrameReader({
    accepts,
    frame: (kind, number, extra, bytes, start, end) => {
      read.push({ kind, number, extra, payload: bytes.toString('utf8', start, end) })
    },
  })
}

const frames: Read[] = [
  { kind: FrameKind.ready, number: 0, extra: 0, payload: '["a"]' },
  { kind: FrameKind.returnedJson, number: 7, extra: 4_000_000_000, payload: '' },
  { kind: FrameKind.returned, number: 4_000_000_000, extra: 1, payload: 'ÿ✓'.repeat(5000) },
  { kind: FrameKind.threw, number: 8, extra: 2, payload: 'z'.repeat(200_000) },
  { kind: FrameKind.returnedJson, number: 9, extra: 3, payload: '"last"' },
]

function written(asText: boolean): Buffer {
  const chunks: Buffer[] = []
  const writer = new FrameWriter((bytes, payload) => {
    chunks.push(bytes, ...(payload ? [payload] : []))
  })
  for (const { kind, number, extra, payload } of frames) {
    if (asText) writer.text(kind as FrameKind, number, extra, payload)
    else writer.bytes(kind as FrameKind, number, extra, Buffer.from(payload))
  }
  writer.flush()
  return Buffer.concat(chunks)
}

describe('frames', () => {
  it.each([1, 2, 3, 12, 13, 14, 100, 4096, 65_536, 1_000_000])(
    'come out whole however the bytes are cut: %i at a time',
    (size) => {
      const bytes = written(true)
      const read: Read[] = []
      const reader = readerInto(read)
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
      expect(read).toEqual(frames)
    },
  )

  it('are the same bytes from text and from bytes', () => {
    expect(written(false).equals(written(true))).toBe(true)
  })

  it('written later do not change what was written before', () => {
    const chunks: Buffer[] = []
    const writer = new FrameWriter((bytes, payload) => {
      chunks.push(bytes, ...(payload ? [payload] : []))
    })
    for (let number = 0; number < 20_000; number++) {
      writer.text(FrameKind.runJson, number, 0, `[${number}]`)
      if (number % 7 === 0) writer.flush()
    }
    writer.flush()
    const read: Read[] = []
    readerInto(read).push(Buffer.concat(chunks))
    expect(read.map(({ number, payload }) => [number, payload])).toEqual(
      Array.from({ length: 20_000 }, (_, number) => [number, `[${number}]`]),
    )
  })

  it('take no memory for what a header only announces', () => {
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const header = Buffer.alloc(headerLength)
    putHeader(header, 0, FrameKind.returned, 1, 0, 2 ** 31)
    readerInto([]).push(header)
    expect(Math.max(...allocated.mock.calls.map(([bytes]) => bytes))).toBe(largestAhead)
    allocated.mockRestore()
  })

  it.each([3_000_001, 20_000_000])('larger than what is set aside come out whole, too: %i bytes at a time', (size) => {
    const payload = Buffer.alloc(2.2 * largestAhead, 'a')
    for (let at = 0; at < payload.length; at += 1_000_003) payload.writeUInt32LE(at, Math.min(at, payload.length - 4))
    const header = Buffer.alloc(headerLength)
    putHeader(header, 0, FrameKind.returned, 1, 0, payload.length)
    const bytes = Buffer.concat([header, payload, written(true)])
    const read: Read[] = []
    let same = false
    const reader = new FrameReader({
      accepts: () => true,
      frame: (kind, number, extra, from, start, end) => {
        if (end - start > largestAhead) same = payload.equals(from.subarray(start, end))
        else read.push({ kind, number, extra, payload: from.toString('utf8', start, end) })
      },
    })
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    expect(same).toBe(true)
    expect(read).toEqual(frames)
  })

  it('that are none are an error, not a wait for two gigabytes', () => {
    expect(() => {
      readerInto([]).push(Buffer.from('console.log went to the wrong place'))
    }).toThrow(FrameError)
  })

  it('that are not expected are an error before their payload has come', () => {
    const reader = readerInto([], (kind, number) => kind === FrameKind.returned && number === 1)
    expect(() => {
      reader.push(written(true).subarray(0, 13))
    }).toThrow(/something else writes to file descriptor 3/)
  })
})
