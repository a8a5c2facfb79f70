import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { BoundedReader, type RefusedMessageError } from '../../../src/host/connection/boundedReader'

/** Stands for a socket: what is pushed is read. */
function reading(options: { mayRead?: () => boolean; limit?: number } = {}) {
  const stream = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const messages: unknown[] = []
  const errors: RefusedMessageError[] = []
  const reader = new BoundedReader(
    stream as unknown as Socket,
    options.mayRead ?? (() => true),
    () => options.limit ?? 1000,
    (error) => {
      errors.push(error)
    },
  )
  reader.listen((message) => {
    messages.push(message)
  })
  const settled = async () => {
    for (let turn = 0; turn < 300; turn++) await new Promise(setImmediate)
  }
  return { stream, reader, messages, errors, settled }
}

const frame = (message: unknown) => {
  const body = Buffer.from(JSON.stringify(message))
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body])
}

describe('frames', () => {
  it('are read whole, in order, whatever pieces they come in', async () => {
    const bytes = Buffer.concat([frame({ n: 1, text: 'grüße' }), frame({ n: 2 }), frame({ n: 3 })])
    for (const size of [1, 2, 7, 30, bytes.length]) {
      const { stream, messages, settled } = reading()
      for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size))
      await settled()
      expect(messages).toEqual([{ n: 1, text: 'grüße' }, { n: 2 }, { n: 3 }])
    }
  })

  it('may have other headers, in any case', async () => {
    const { stream, messages, settled } = reading()
    stream.push('Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}')
    await settled()
    expect(messages).toEqual([{}])
  })

  it.each([
    ['no JSON', 'Content-Length: 3\r\n\r\n{]}', /no JSON/],
    ['no object', 'Content-Length: 2\r\n\r\n42', /no object/],
    ['an array', 'Content-Length: 2\r\n\r\n[]', /no object/],
    ['a header without a length', 'Content-Type: x\r\n\r\n{}', /without a Content-Length/],
    ['a negative length', 'Content-Length: -5\r\n\r\n{}', /without a Content-Length/],
    ['a length in letters', 'Content-Length: ten\r\n\r\n{}', /without a Content-Length/],
    ['more than the limit', 'Content-Length: 104857600\r\n\r\n', /104857600 bytes/],
    ['a header that never ends', 'x'.repeat(5000), /without an end/],
  ])('end the connection when they are %s', async (_, bytes, message) => {
    const { stream, errors, messages, settled } = reading()
    stream.push(bytes)
    await settled()
    expect(errors.map((error) => error.message).join()).toMatch(message)
    expect(messages).toEqual([])
  })

  it('after a bad one are not read', async () => {
    const { stream, errors, messages, settled } = reading()
    stream.push('Content-Length: 3\r\n\r\n{]}')
    stream.push(frame({ n: 1 }))
    await settled()
    expect(errors).toHaveLength(1)
    expect(messages).toEqual([])
  })

  it('wait while the client has to, and go on afterwards', async () => {
    let open = true
    const { stream, reader, messages, settled } = reading({ mayRead: () => open })
    stream.push(Buffer.concat([frame({ n: 1 }), frame({ n: 2 })]))
    await new Promise((resolve) => {
      stream.once('pause', resolve)
    })
    open = false
    await settled()
    expect(messages).toEqual([{ n: 1 }])
    open = true
    reader.resume()
    await settled()
    expect(messages).toEqual([{ n: 1 }, { n: 2 }])
  })
})
