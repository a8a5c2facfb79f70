import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { BoundedReader, largestFirstMessageBytes } from '../../../src/host/connection/boundedReader'
import { mustEqual, pieces, type FuzzTarget } from '../target'

class FakeSocket extends EventEmitter {
  pause(): this {
    return this
  }
  resume(): this {
    return this
  }
}

/** What came of it: each message, and why it was ended. */
function read(chunks: readonly Buffer[]): { messages: unknown[]; failure: string | undefined } {
  const messages: unknown[] = []
  let failure: string | undefined
  const socket = new FakeSocket()
  const turns: (() => void)[] = []
  const { setImmediate } = globalThis
  // One message a turn: the turns are taken here.
  globalThis.setImmediate = ((turn: () => void) => turns.push(turn)) as unknown as typeof setImmediate
  try {
    const reader = new BoundedReader(
      socket as unknown as Socket,
      () => true,
      () => largestFirstMessageBytes,
      (error) => {
        // Any other error would be wrapped: it is a bug of the reader, not of the sender.
        if (!/^a (?:message|header) /.test(error.message)) throw error
        failure = error.message
      },
    )
    reader.listen((message) => {
      messages.push(message)
    })
    for (const chunk of chunks) {
      socket.emit('data', chunk)
      for (let turn = turns.shift(); turn; turn = turns.shift()) turn()
    }
    socket.emit('close')
  } finally {
    globalThis.setImmediate = setImmediate
  }
  return { messages, failure }
}

const frame = (body: string, header = `Content-Length: ${Buffer.byteLength(body)}\r\n`) =>
  Buffer.from(`${header}\r\n${body}`)
const initialize =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":1,"rootUri":null,"capabilities":{}}}'

export const target: FuzzTarget = {
  run(input) {
    const whole = read([Buffer.from(input)])
    for (const message of whole.messages)
      if (typeof message !== 'object' || message === null || Array.isArray(message))
        throw new Error(`a message that is no object: ${JSON.stringify(message)}`)
    const cut = read(pieces(input))
    mustEqual('read at once and in pieces', whole, cut)
  },
  seeds: [
    frame(initialize),
    Buffer.concat([frame('{}'), frame('{"a":"ü"}')]),
    frame('{}', 'content-type: x\r\nContent-Length:2\r\n'),
    frame('[]'),
    frame('x'),
    Buffer.from('Content-Length: 99999999\r\n\r\n'),
    Buffer.from('X: y\r\n\r\n'),
    Buffer.alloc(5000, 'a'),
    frame(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`),
  ],
  dictionary: [
    'Content-Length: ',
    'content-length:',
    'Content-Type: utf-8',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\t',
    '{}',
    '{"__proto__":{}}',
    '[',
    '"',
    '\\u0000',
    '0',
    '-1',
    '1e3',
    '1048576',
    '1048577',
    '999999999999999',
    '9007199254740993',
    '\xff',
    '\0',
  ].map((text) => Buffer.from(text, 'latin1')),
  largestAllocation: 2 * largestFirstMessageBytes,
}
