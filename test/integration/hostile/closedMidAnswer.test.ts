import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HostConnection, HostInfo } from '../../../src/discovery'
import { buildHost, fixtures, isRunning, TestWorkspace, until, untilPool } from '../host/testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
let good: HostConnection
let info: HostInfo
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
  info = good.info
  poolId = (
    await good.request('unhang/launchPool', {
      definition: { module: join(fixtures, 'work.js#never'), items: [1, 2], processes: 2 },
    })
  ).poolId
  await untilPool(good, poolId, 'the pool to run', ({ counts }) => counts.running === 2)
})
afterEach(async () => {
  await workspace.dispose()
})

const frame = (message: unknown) => {
  const body = JSON.stringify({ jsonrpc: '2.0', ...(message as object) })
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
/** A client behind its handshake, which reads nothing more by itself. */
const greeted = async (): Promise<Socket> => {
  const socket = await workspace.rawTo(info)
  let received = ''
  const listen = (chunk: Buffer): void => {
    received += chunk.toString()
  }
  socket.on('data', listen)
  socket.write(
    frame({
      id: 0,
      method: 'initialize',
      params: {
        processId: null,
        rootUri: null,
        capabilities: {},
        initializationOptions: { token: info.token, protocolVersion: 1, client: 'test' },
      },
    }),
  )
  await until('the answer to initialize', () => received.includes('serverInfo'))
  socket.off('data', listen)
  socket.pause()
  return socket
}
const descriptors = () => readdirSync(`/proc/${info.pid}/fd`).length
const residentBytes = () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${info.pid}/status`, 'utf8'))?.[1]) * 1024
const untouched = async () => {
  expect((await untilPool(good, poolId, 'the pool', () => true)).counts.running).toBe(2)
  expect((await good.request('unhang/hostStatus', {})).pid).toBe(info.pid)
}
const snapshots = (count: number) =>
  Array.from({ length: count }, (_, id) => frame({ id: id + 1, method: 'unhang/snapshot', params: {} })).join('')

describe('connections that close in the middle of an answer', { retry: 0 }, () => {
  it.each<[string, (socket: Socket) => void]>([
    [
      'are destroyed while answers pile up',
      (socket) => {
        socket.destroy()
      },
    ],
    [
      'end their half',
      (socket) => {
        socket.end()
      },
    ],
    [
      'are destroyed when the first bytes of an answer have come',
      (socket) => {
        socket.once('readable', () => {
          socket.read(1)
          socket.destroy()
        })
      },
    ],
    [
      'are destroyed in the middle of a request',
      (socket) => {
        socket.write('Content-Length: 5000\r\n\r\n{"jsonrpc"')
        socket.destroy()
      },
    ],
  ])('200 of them, which %s, cost nobody anything', async (_, close) => {
    const before = descriptors()
    for (let round = 0; round < 4; round++) {
      const sockets = await Promise.all(Array.from({ length: 50 }, greeted))
      for (const socket of sockets) {
        socket.write(snapshots(20))
        close(socket)
      }
      const answer = performance.now()
      await untouched()
      expect(performance.now() - answer).toBeLessThan(10_000)
      // A half that has ended may be read to its end.
      for (const socket of sockets) if (!socket.destroyed) socket.resume()
      await until('the connections to be gone', () => descriptors() <= before + 2, 30_000)
    }
    expect(residentBytes()).toBeLessThan(400 * 1024 * 1024)
    expect(isRunning(info.pid)).toBe(true)
  })

  it('a terminate whose client has gone is carried out, once', async () => {
    const socket = await greeted()
    const pids = (await untilPool(good, poolId, 'the pool', () => true)).workers.map(({ pid }) => pid)
    socket.write(
      frame({
        id: 1,
        method: 'unhang/shutdown',
        params: { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'cli' },
      }),
    )
    socket.destroySoon()
    await untilPool(good, poolId, 'the pool to end', ({ state }) => state === 'ended')
    expect(pids.filter(isRunning)).toEqual([])
    const { killsFile } = await workspace.endpoint()
    const killed = readFileSync(killsFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { identity: { pid: number } }).identity.pid)
    expect(killed.sort()).toEqual([...pids].sort())
  })

  it('a launch whose client has gone runs to its end', async () => {
    const socket = await greeted()
    socket.write(
      frame({
        id: 1,
        method: 'unhang/launchPool',
        params: { label: 'Left behind', definition: { command: ['true'], items: [1, 2, 3] } },
      }),
    )
    socket.destroySoon()
    await until('the pool', async () => {
      const snapshot = await good.request('unhang/snapshot', {})
      return (
        snapshot.kind === 'full' &&
        snapshot.pools.some(
          ({ name, state, counts }) => name === 'Left behind' && state === 'ended' && counts.done === 3,
        )
      )
    })
  })
})
