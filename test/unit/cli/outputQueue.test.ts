import { Buffer } from 'node:buffer'
import type { write } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OutputQueue } from '../../../src/cli/output/outputQueue'

type Callback = (error: NodeJS.ErrnoException | null, written: number) => void

/** A file descriptor table in memory: each write waits for `answer`, or is answered by itself. */
class Descriptors {
  readonly texts: Record<number, string> = {}
  readonly calls: { fd: number; bytes: Buffer; done: Callback }[] = []
  automatic = true
  failWith: Record<number, string> = {}

  readonly write = ((fd: number, bytes: Buffer, _offset: number, _length: number, _position: null, done: Callback) => {
    this.calls.push({ fd, bytes, done })
    if (this.automatic)
      setImmediate(() => {
        this.answer()
      })
  }) as unknown as typeof write

  answer(atMost = Number.POSITIVE_INFINITY): void {
    const call = this.calls.shift()!
    const code = this.failWith[call.fd]
    if (code !== undefined) {
      call.done(Object.assign(new Error(code), { code }), 0)
      return
    }
    const written = Math.min(atMost, call.bytes.length)
    this.texts[call.fd] = (this.texts[call.fd] ?? '') + call.bytes.subarray(0, written).toString()
    call.done(null, written)
  }
}

describe('the output queue', () => {
  it('writes everything in order', async () => {
    const descriptors = new Descriptors()
    const queue = new OutputQueue(1024, descriptors.write)
    for (let i = 0; i < 50; i++) queue.push(1, `${i}\n`)
    await queue.drained()
    expect(descriptors.texts[1]).toBe(Array.from({ length: 50 }, (_, i) => `${i}\n`).join(''))
  })
  it('goes on after a write that took only a part', async () => {
    const descriptors = new Descriptors()
    descriptors.automatic = false
    const queue = new OutputQueue(1024, descriptors.write)
    queue.push(1, 'hello')
    const drained = queue.drained()
    descriptors.answer(2)
    descriptors.answer()
    await drained
    expect(descriptors.texts[1]).toBe('hello')
  })
  it('tries again when a pipe is full for the moment', async () => {
    const descriptors = new Descriptors()
    descriptors.failWith = { 1: 'EAGAIN' }
    const queue = new OutputQueue(1024, descriptors.write)
    queue.push(1, 'later')
    setTimeout(() => {
      descriptors.failWith = {}
    }, 50)
    await queue.drained()
    expect(descriptors.texts[1]).toBe('later')
  })
  it('forgets a stream without a reader and keeps the other', async () => {
    const descriptors = new Descriptors()
    descriptors.failWith = { 1: 'EPIPE' }
    const queue = new OutputQueue(1024, descriptors.write)
    queue.push(1, 'nobody')
    queue.push(2, 'somebody')
    queue.push(1, 'nobody')
    await queue.drained()
    expect(descriptors.texts).toEqual({ 2: 'somebody' })
  })
  it('drops worker lines while the reader is far behind, says how many, and drops nothing else', async () => {
    const descriptors = new Descriptors()
    descriptors.automatic = false
    const queue = new OutputQueue(100, descriptors.write)
    queue.push(1, 'x'.repeat(200))
    queue.push(1, 'dropped\n', { mayDrop: true })
    queue.push(1, 'dropped\n', { mayDrop: true })
    queue.push(2, 'kept\n')
    descriptors.automatic = true
    descriptors.answer()
    await queue.drained()
    expect(descriptors.texts[1]).toBe('x'.repeat(200))
    expect(descriptors.texts[2]).toContain('kept\n')
    expect(descriptors.texts[2]).toContain('2 lines not shown')
  })
  it('is drained at once when nothing was written', async () => {
    await new OutputQueue(100, new Descriptors().write).drained()
  })
})
