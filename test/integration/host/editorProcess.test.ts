import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node'
import { connectOrStart, type HostConnection } from '../../../src/discovery'
import type { InitializationOptions } from '../../../src/protocol'
import { buildHost, isRunning, TestWorkspace, until, untilPool } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
afterEach(async () => {
  await workspace.dispose()
})

const environmentOf = (pid: number): string[] => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')

it('a host that a worker starts does not carry the mark of that worker', async () => {
  workspace = new TestWorkspace(built.hostScript, { UNHANG_WORKER: 'pool-1/PoolWorker-1', UNHANG_TEST_KEPT: 'yes' })
  const { info } = await workspace.connect()
  expect(environmentOf(info.pid)).toContain('UNHANG_TEST_KEPT=yes')
  expect(environmentOf(info.pid).filter((entry) => entry.startsWith('UNHANG_WORKER'))).toEqual([])
})

/** A client that says it is the process with this pid, as the language protocol's `processId` has it. */
async function claim(client: InitializationOptions['client'], processId: number): Promise<{ leave(): void }> {
  const { socket, initializationOptions } = await connectOrStart({
    root: workspace.root,
    hostScript: built.hostScript,
    start: false,
    client,
    env: workspace.env,
  })
  const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket))
  connection.listen()
  await connection.sendRequest('initialize', { processId, rootUri: null, capabilities: {}, initializationOptions })
  return {
    leave: () => {
      connection.dispose()
      socket.destroy()
    },
  }
}

async function runningSleeper(host: HostConnection): Promise<{ poolId: string; pid: number }> {
  const { poolId } = await host.request('unhang/launchPool', { definition: { command: ['sleep', '1000'], items: [1] } })
  const { workers } = await untilPool(host, poolId, 'the worker', ({ counts }) => counts.running === 1)
  return { poolId, pid: workers[0]!.pid }
}

const kill = (host: HostConnection, poolId: string) =>
  host.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'user' })

it('the process of a connected editor is never signalled, though it belongs to what is ended', async () => {
  workspace = new TestWorkspace(built.hostScript)
  const host = await workspace.connect()
  const { poolId, pid } = await runningSleeper(host)
  const editor = await claim('vscode', pid)
  expect((await kill(host, poolId)).issues).toEqual([expect.stringContaining('protected')])
  expect(isRunning(pid)).toBe(true)
  editor.leave()
  await until(
    'the host to see that the editor left',
    async () => (await host.request('unhang/hostStatus', {})).clients === 1,
  )
  expect((await kill(host, poolId)).issues).toEqual([])
  await until('the worker to be gone', () => !isRunning(pid))
})

it('a command that runs in a worker is ended with it, also while it is connected', async () => {
  workspace = new TestWorkspace(built.hostScript)
  const host = await workspace.connect()
  const { poolId, pid } = await runningSleeper(host)
  const command = await claim('cli', pid)
  expect((await kill(host, poolId)).issues).toEqual([])
  await until('the worker to be gone', () => !isRunning(pid))
  command.leave()
})
