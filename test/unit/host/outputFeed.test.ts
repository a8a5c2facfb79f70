import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  OutputFeed,
  OutputFollower,
  pendingBytes,
  tailBytes,
  type OutputChunk,
} from '../../../src/host/output/outputFeed'
import type { Output } from '../../../src/protocol'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const chunk = (text: string | Buffer, worker = 'PoolWorker-1'): OutputChunk => ({
  worker,
  taskId: 't1',
  stream: 'stdout',
  chunk: Buffer.from(text),
})

function followed(backlog = { bytes: 0 }) {
  const sent: Output[] = []
  const follower = new OutputFollower('pool-1', {
    backlog: () => backlog.bytes,
    send: (params) => {
      sent.push(params)
    },
  })
  return { follower, sent, backlog }
}

describe("a pool's output", () => {
  it('comes first with what is kept, then with what comes', () => {
    const feed = new OutputFeed()
    feed.push(chunk('before'))
    const seen: string[] = []
    const stop = feed.follow(({ chunk: bytes }) => {
      seen.push(bytes.toString())
    })
    feed.push(chunk('after'))
    stop()
    feed.push(chunk('later'))
    expect(seen).toEqual(['before', 'after'])
  })

  it('is kept up to 64 KiB, the newest of it', () => {
    const feed = new OutputFeed()
    for (let n = 0; n < 300; n++) feed.push(chunk(`${n} `.padEnd(1024, '.')))
    const seen: Buffer[] = []
    feed.follow(({ chunk: bytes }) => {
      seen.push(bytes)
    })
    expect(Buffer.concat(seen).length).toBeLessThanOrEqual(tailBytes)
    expect(seen.at(-1)?.toString()).toMatch(/^299 /)
  })

  it('is kept up to 64 KiB of a single chunk too', () => {
    const feed = new OutputFeed()
    feed.push(chunk(`${'a'.repeat(tailBytes)}${'b'.repeat(10)}`))
    const seen: Buffer[] = []
    feed.follow(({ chunk: bytes }) => {
      seen.push(bytes)
    })
    expect(seen[0]).toHaveLength(tailBytes)
    expect(seen[0]?.toString()).toMatch(/b{10}$/)
  })
})

describe('a follower', () => {
  it('gets a thousand lines in one message', () => {
    const { follower, sent } = followed()
    for (let n = 0; n < 1000; n++) follower.push(chunk(`line ${n}\n`))
    vi.advanceTimersByTime(100)
    expect(sent).toHaveLength(1)
    expect(sent[0]?.chunks[0]?.text.split('\n')).toHaveLength(1001)
  })

  it('gets characters whole', () => {
    const { follower, sent } = followed()
    const bytes = Buffer.from('grüße')
    follower.push(chunk(bytes.subarray(0, 3)))
    vi.advanceTimersByTime(100)
    follower.push(chunk(bytes.subarray(3)))
    vi.advanceTimersByTime(100)
    expect(sent.flatMap(({ chunks }) => chunks.map(({ text }) => text)).join('')).toBe('grüße')
  })

  it('that does not read costs a bounded amount, and is told what was left out', () => {
    const { follower, sent, backlog } = followed({ bytes: Infinity })
    for (let n = 0; n < 100; n++) follower.push(chunk(Buffer.alloc(64 * 1024, 97)))
    vi.advanceTimersByTime(1000)
    expect(sent).toEqual([])
    backlog.bytes = 0
    follower.flush()
    const got = sent.reduce((sum, { chunks }) => sum + chunks.reduce((size, { text }) => size + text.length, 0), 0)
    expect(got).toBeLessThanOrEqual(pendingBytes)
    expect(got + sent.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(100 * 64 * 1024)
    expect(sent[0]?.dropped).toBeGreaterThan(0)
  })
})
