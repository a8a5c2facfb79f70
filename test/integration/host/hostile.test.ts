import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HostConnection } from '../../../src/discovery'
import type { Output } from '../../../src/protocol'
import { buildHost, fixtures, isRunning, TestWorkspace, until, untilPool } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
/** A client that behaves, and a pool that works, while others misbehave. */
let good: HostConnection
let poolId: string
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(async () => {
  workspace = new TestWorkspace(built.hostScript)
  good = await workspace.connect()
  poolId = (
    await good.request('unhang/launchPool', {
      definition: { module: join(fixtures, 'work.js#never'), items: [1], processes: 1 },
    })
  ).poolId
  await untilPool(good, poolId, 'the pool to run', ({ counts }) => counts.running === 1)
})
afterEach(async () => {
  await workspace.dispose()
})

const untouched = async () => {
  const pool = await untilPool(good, poolId, 'the pool', () => true)
  expect(pool.counts.running).toBe(1)
  expect(isRunning(good.info.pid)).toBe(true)
}
const frame = (message: unknown) => {
  const body = JSON.stringify(message)
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
const closed = (socket: Socket) =>
  until('the connection to end', () => socket.closed || socket.readableEnded || socket.destroyed)
const residentBytes = () =>
  Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${good.info.pid}/status`, 'utf8'))?.[1]) * 1024

/** A raw connection with everything it was sent. */
const talk = async () => {
  const socket = await workspace.rawTo(good.info)
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString()
  })
  return { socket, received: () => received }
}
const shake = async (socket: Socket, received: () => string) => {
  socket.write(
    frame({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        processId: null,
        rootUri: null,
        capabilities: {},
        initializationOptions: { token: good.info.token, protocolVersion: 1, client: 'test' },
      },
    }),
  )
  await until('the answer to initialize', () => received().includes('serverInfo'))
}

describe('before the handshake', () => {
  it.each<[string, string | Buffer]>([
    ['garbage', Buffer.from(Array.from({ length: 6000 }, (_, index) => (index * 7919) % 251))],
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a frame that is no JSON', 'Content-Length: 5\r\n\r\n{{{{{'],
    ['a header that never ends', 'Content-Length: 5\r\n'.repeat(1000)],
    ['a message of 100 MB', `Content-Length: ${100 * 1024 * 1024}\r\n\r\n`],
    ['a message of 2 MB', `Content-Length: ${2 * 1024 * 1024}\r\n\r\n`],
    ['another request', frame({ jsonrpc: '2.0', id: 1, method: 'unhang/hostStatus', params: {} })],
    ['a notification', frame({ jsonrpc: '2.0', method: 'exit' })],
    ['a cancellation without an id', frame({ jsonrpc: '2.0', method: '$/cancelRequest' })],
    ['an answer to nothing', frame({ jsonrpc: '2.0', id: 5, result: 1 })],
  ])('%s ends the connection without an answer', async (_, bytes) => {
    const { socket, received } = await talk()
    socket.write(bytes)
    await closed(socket)
    expect(received()).toBe('')
    await untouched()
  })

  it('silence ends the connection after ten seconds', async () => {
    const { socket, received } = await talk()
    const since = performance.now()
    await until('the connection to end', () => socket.destroyed || socket.readableEnded, 20_000)
    expect(performance.now() - since).toBeGreaterThan(9000)
    expect(received()).toBe('')
    await untouched()
  })

  it('a request hidden behind a wrong token is not answered', async () => {
    const { socket, received } = await talk()
    socket.write(
      frame({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: {
          capabilities: {},
          initializationOptions: { token: 'x'.repeat(64), protocolVersion: 1, client: 'test' },
        },
      }) +
        frame({ jsonrpc: '2.0', id: 1, method: 'unhang/hostStatus', params: {} }) +
        frame({ jsonrpc: '2.0', id: 2, method: 'unhang/stopHost', params: {} }),
    )
    await closed(socket)
    expect(received()).toContain('"id":0')
    expect(received()).not.toMatch(/"id":[12]/)
    await untouched()
  })

  it('initialize without parameters is answered with an error', async () => {
    const { socket, received } = await talk()
    socket.write(frame({ jsonrpc: '2.0', id: 0, method: 'initialize' }))
    await until('the answer', () => received().includes('"error"'))
    await untouched()
  })
})

describe('after the handshake', () => {
  it.each<[string, unknown, RegExp]>([
    ['an unknown method', { id: 1, method: 'unhang/launchRocket', params: {} }, /"code":-32601/],
    ['no parameters', { id: 1, method: 'unhang/launchPool' }, /"code":-32602.*unhang\/launchPool/],
    ['a wrong type', { id: 1, method: 'unhang/snapshot', params: { since: 'yesterday' } }, /"code":-32602.*since/],
    [
      'a negative number',
      { id: 1, method: 'unhang/failures', params: { poolId: 'x', limit: -1 } },
      /"code":-32602.*limit/,
    ],
    ['parameters by position', { id: 1, method: 'unhang/snapshot', params: [1, 2, 3] }, /"code":-32602/],
    ['parameters that are text', { id: 1, method: 'unhang/snapshot', params: 'all' }, /"code":-32602/],
    [
      'an unknown target',
      { id: 1, method: 'unhang/shutdown', params: { targets: [{ kind: 'planet' }], mode: 'kill', askedBy: 'user' } },
      /"code":-32602.*targets/,
    ],
    [
      'no targets',
      { id: 1, method: 'unhang/shutdown', params: { targets: [], mode: 'kill', askedBy: 'user' } },
      /"code":-32602/,
    ],
    [
      'a mode that is none',
      { id: 1, method: 'unhang/shutdown', params: { targets: [{ kind: 'all' }], mode: 'nuke', askedBy: 'user' } },
      /"code":-32602.*mode/,
    ],
    [
      'an environment that no process can have',
      {
        id: 1,
        method: 'unhang/launchPool',
        params: { definition: { command: 'true', items: [] }, env: { A: 'x\0y' } },
      },
      /"code":-32602.*NUL/,
    ],
    ['a second initialize', { id: 1, method: 'initialize', params: { capabilities: {} } }, /"code":-32600/],
    ['a document request that makes no sense', { id: 1, method: 'textDocument/codeLens', params: {} }, /"error"/],
  ])('%s is answered with an error, and the connection goes on', async (_, message, answer) => {
    const { socket, received } = await talk()
    await shake(socket, received)
    socket.write(frame({ jsonrpc: '2.0', ...(message as object) }))
    await until('the error', () => answer.test(received()))
    socket.write(frame({ jsonrpc: '2.0', id: 'next', method: 'unhang/hostStatus', params: {} }))
    await until('the next answer', () => received().includes('"id":"next"'))
    await untouched()
  })

  it('a definition as deep as a well is answered with an error', async () => {
    const { socket, received } = await talk()
    await shake(socket, received)
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const params = `{"definition":{"command":"true","items":${deep}}}`
    const body = `{"jsonrpc":"2.0","id":1,"method":"unhang/launchPool","params":${params}}`
    socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`)
    await until('the error', () => received().includes('"id":1,"error"'))
    await untouched()
  })

  it.each<[string, unknown]>([
    ['an unknown notification', { method: 'unhang/nothing', params: {} }],
    ['a cancellation without an id', { method: '$/cancelRequest' }],
    ['a cancellation of something', { method: '$/cancelRequest', params: { id: 77 } }],
    ['an answer to nothing', { id: 5, result: 1 }],
    [
      'an edit of a document that is not open',
      {
        method: 'textDocument/didChange',
        params: { textDocument: { uri: 'file:///x', version: 2 }, contentChanges: [{ text: 'x' }] },
      },
    ],
    ['an edit without a document', { method: 'textDocument/didChange', params: {} }],
    ['a message without a method', { jsonrpc: '2.0' }],
  ])('%s is ignored', async (_, message) => {
    const { socket, received } = await talk()
    await shake(socket, received)
    socket.write(frame({ jsonrpc: '2.0', ...(message as object) }))
    socket.write(frame({ jsonrpc: '2.0', id: 'next', method: 'unhang/hostStatus', params: {} }))
    await until('the next answer', () => received().includes('"id":"next"'))
    await untouched()
  })

  it.each([
    ['100 MB', 100 * 1024 * 1024],
    ['just over the limit', 8 * 1024 * 1024 + 1],
  ])('a message of %s ends the connection, and costs the host nothing', async (_, size) => {
    const { socket, received } = await talk()
    await shake(socket, received)
    const before = residentBytes()
    socket.write(`Content-Length: ${size}\r\n\r\n`)
    const piece = Buffer.alloc(64 * 1024, 32)
    for (let sent = 0; sent < 20 * 1024 * 1024 && socket.writable; sent += piece.length) socket.write(piece)
    await closed(socket)
    expect(residentBytes() - before).toBeLessThan(20 * 1024 * 1024)
    await untouched()
  })

  it('exit ends this connection and not the host', async () => {
    const { socket, received } = await talk()
    await shake(socket, received)
    socket.write(frame({ jsonrpc: '2.0', id: 9, method: 'shutdown' }) + frame({ jsonrpc: '2.0', method: 'exit' }))
    await closed(socket)
    await untouched()
    await until('it to be forgotten', async () => (await good.request('unhang/hostStatus', {})).clients === 1)
  })
})

describe('a client that does not read', () => {
  it('its answers, or its requests, pile up at its own side', async () => {
    const socket = await workspace.rawTo(good.info)
    socket.pause()
    let received = 0
    socket.write(
      frame({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: {
          processId: null,
          rootUri: null,
          capabilities: {},
          initializationOptions: { token: good.info.token, protocolVersion: 1, client: 'test' },
        },
      }),
    )
    const before = residentBytes()
    // Some 300 MB of answers are asked for.
    const ask = Buffer.from(
      Array.from({ length: 500 }, (_, id) =>
        frame({ jsonrpc: '2.0', id: id + 1, method: 'unhang/snapshot', params: {} }),
      ).join(''),
    )
    for (let round = 0; round < 600; round++) socket.write(ask)
    await until('the host to have stopped reading', async () => {
      const waiting = socket.writableLength
      await good.request('unhang/hostStatus', {})
      await new Promise((done) => {
        setTimeout(done, 300)
      })
      return socket.writableLength === waiting && waiting > 0
    })
    expect(residentBytes() - before).toBeLessThan(120 * 1024 * 1024)
    await untouched()
    // Once it reads, it is served again.
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    socket.resume()
    await until('the answers to come', () => received > 1024 * 1024)
    await untouched()
  })

  it('output is dropped with a count, and changes are told together', async () => {
    const script = 'i=0; while [ $i -lt 200 ]; do head -c 200000 /dev/zero | tr "\\0" x; i=$((i+1)); done'
    const noisy = (
      await good.request('unhang/launchPool', { definition: { command: ['sh', '-c', script], items: [1] } })
    ).poolId
    const socket = await workspace.rawTo(good.info)
    socket.pause()
    socket.write(
      frame({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: {
          processId: null,
          rootUri: null,
          capabilities: {},
          initializationOptions: { token: good.info.token, protocolVersion: 1, client: 'test' },
        },
      }),
    )
    socket.write(
      frame({ jsonrpc: '2.0', id: 1, method: 'unhang/followOutput', params: { poolId: noisy, follow: true } }),
    )
    const before = residentBytes()
    let toldToTheGood = 0
    good.on('unhang/changed', () => {
      toldToTheGood += 1
    })
    await untilPool(good, noisy, 'the noise to be over', ({ state }) => state === 'ended', 60_000)
    expect(residentBytes() - before).toBeLessThan(120 * 1024 * 1024)
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    socket.resume()
    await until('the count of what was dropped', () => /"dropped":[1-9]/.test(received))
    const outputs = [
      ...received.matchAll(/\{"jsonrpc":"2.0","method":"unhang\/output","params":(\{.*?\})\}(?:Content-Length|$)/gs),
    ].map((match) => JSON.parse(match[1] ?? '') as Output)
    const dropped = outputs.reduce((sum, output) => sum + output.dropped, 0)
    const got = outputs.reduce(
      (sum, output) => sum + output.chunks.reduce((size, chunk) => size + chunk.text.length, 0),
      0,
    )
    expect([...received.matchAll(/unhang\/changed/g)].length).toBeLessThanOrEqual(Math.max(3, toldToTheGood / 2))
    expect(dropped).toBeGreaterThan(10_000_000)
    expect(got).toBeLessThan(12_000_000)
    await untouched()
  })
})
