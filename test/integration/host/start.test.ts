import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  connectOrStart,
  HostHungError,
  HostNotRunningError,
  HostRequestError,
  HostStartError,
  HostVersionError,
  HostConnection,
  patience,
} from '../../../src/discovery'
import { protocolVersion } from '../../../src/protocol'
import { buildHost, filesOf, isRunning, TestWorkspace, until } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(() => {
  workspace = new TestWorkspace(built.hostScript)
})
afterEach(async () => {
  await workspace.dispose()
})

const kill = async (pid: number) => {
  process.kill(pid, 'SIGKILL')
  await until('the host to be dead', () => !isRunning(pid))
}

describe('a host', () => {
  it('is started by the first who connects, and found by the second', async () => {
    const first = await workspace.connect()
    const second = await workspace.connect({ client: 'cli' })
    expect(second.info).toEqual(first.info)
    const status = await second.request('unhang/hostStatus', {})
    expect(status).toMatchObject({ pid: first.info.pid, clients: 2, pools: 0 })
  })

  it('is not started when nobody wants it to be', async () => {
    await expect(workspace.connect({ start: false })).rejects.toBeInstanceOf(HostNotRunningError)
  })

  it('keeps its files to its owner', async () => {
    const { info } = await workspace.connect()
    const endpoint = await workspace.endpoint()
    expect(statSync(endpoint.directory).mode & 0o777).toBe(0o700)
    for (const file of [endpoint.infoFile, endpoint.ledgerFile, endpoint.logFile])
      expect(statSync(file).mode & 0o777, file).toBe(0o600)
    expect(info.socketPath.length).toBeLessThanOrEqual(100)
    expect(info.token).toMatch(/^[0-9a-f]{64}$/)
  })

  it("outlives its clients, as it is nobody's child", async () => {
    const first = await workspace.connect()
    const { pid } = first.info
    await first.close()
    const second = await workspace.connect()
    expect(second.info.pid).toBe(pid)
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // A session of its own: it hears nothing of the terminal that started it.
    expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])).toBe(pid)
  })

  it('removes its socket and host.json when it is told to stop', async () => {
    const connection = await workspace.connect()
    const { pid } = connection.info
    expect(await connection.request('unhang/stopHost', {})).toEqual({ issues: [] })
    await until('the host to end', () => !isRunning(pid))
    expect(
      filesOf(await workspace.endpoint()).filter(
        (name) => !/^(lock\.\d+|host\.log|host\.stderr|kills\.jsonl)$/.test(name),
      ),
    ).toEqual([])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('ends cleanly at %s', async (signal) => {
    const connection = await workspace.connect()
    const { pid } = connection.info
    process.kill(pid, signal)
    await until('the host to end', () => !isRunning(pid))
    expect(await workspace.info()).toBeUndefined()
    expect(await workspace.log()).toMatch(/The host has ended/)
  })

  it('says how it is used when it is started by hand without a root', async () => {
    expect(await workspace.spawnHost([]).ended).toEqual({ code: 1, stderr: 'Usage: host.js --root FOLDER\n' })
  })
})

describe('two starters at once', () => {
  it('end up with one host, ten times in a row', async () => {
    for (let round = 0; round < 10; round++) {
      const connections = await Promise.all([workspace.connect(), workspace.connect(), workspace.connect()])
      expect(new Set(connections.map(({ info }) => info.pid)).size).toBe(1)
      expect((await connections[0].request('unhang/hostStatus', {})).clients).toBe(3)
      const { pid } = connections[0].info
      for (const connection of connections) await connection.close()
      await kill(pid)
    }
  })

  it('leave no second process: the loser exits with 0 and says nothing', async () => {
    for (let round = 0; round < 5; round++) {
      const starters = [workspace.spawnHost(), workspace.spawnHost(), workspace.spawnHost()]
      const info = await until('a host', async () => {
        const announced = await workspace.info()
        return starters.some(({ child }) => child.pid === announced?.pid) ? announced : undefined
      })
      const losers = starters.filter(({ child }) => child.pid !== info.pid)
      expect(losers).toHaveLength(2)
      for (const { ended } of losers) expect(await ended).toEqual({ code: 0, stderr: '' })
      await kill(info.pid)
    }
  })
})

describe('what a dead host left', () => {
  it('is no obstacle: host.json, socket and lock are replaced', async () => {
    const first = await workspace.connect()
    await kill(first.info.pid)
    const endpoint = await workspace.endpoint()
    expect(filesOf(endpoint)).toEqual(expect.arrayContaining(['host.json', 'lock.1']))
    const second = await workspace.connect()
    expect(second.info.pid).not.toBe(first.info.pid)
    expect(second.info.token).not.toBe(first.info.token)
    expect(filesOf(endpoint).filter((name) => name.endsWith('.sock'))).toHaveLength(1)
    expect(filesOf(endpoint).filter((name) => name.startsWith('lock.'))).toEqual(['lock.2'])
  })

  it('is recognised although its pid is in use again', async () => {
    const endpoint = await workspace.endpoint()
    // This process has the pid, but started at another time.
    writeFileSync(join(endpoint.directory, 'lock.3'), JSON.stringify({ pid: process.pid, startTime: 'long ago' }))
    writeFileSync(
      endpoint.infoFile,
      JSON.stringify({
        pid: process.pid,
        startTime: 'long ago',
        socketPath: join(endpoint.directory, '0123abcd.sock'),
        token: 'x'.repeat(64),
        version: '0.0.1',
        protocolVersion,
        startedAt: 1,
      }),
    )
    const connection = await workspace.connect()
    expect(connection.info.pid).not.toBe(process.pid)
    expect(filesOf(endpoint).filter((name) => name.startsWith('lock.'))).toEqual(['lock.4'])
  })

  it('is no obstacle when it is half written', async () => {
    const endpoint = await workspace.endpoint()
    writeFileSync(endpoint.infoFile, '{"pid": 12')
    writeFileSync(endpoint.ledgerFile, '{"start"')
    writeFileSync(join(endpoint.directory, 'lock.1'), '')
    expect((await workspace.connect()).info.pid).toBeGreaterThan(1)
  })
})

describe('a host that cannot be used', () => {
  it('of another version is named, with what to do', async () => {
    const first = await workspace.connect()
    const endpoint = await workspace.endpoint()
    writeFileSync(endpoint.infoFile, JSON.stringify({ ...first.info, protocolVersion: 99 }))
    await expect(workspace.connect()).rejects.toThrow(HostVersionError)
    await expect(workspace.connect()).rejects.toThrow(new RegExp(`kill ${first.info.pid}`))
    writeFileSync(endpoint.infoFile, JSON.stringify(first.info))
  })

  it('in a folder that others can open is not started', async () => {
    const endpoint = await workspace.endpoint()
    chmodSync(endpoint.directory, 0o755)
    await expect(workspace.connect()).rejects.toThrow(/mode is 0755/)
    const { code, stderr } = await workspace.spawnHost().ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/mode is 0755/)
    chmodSync(endpoint.directory, 0o700)
    expect(filesOf(endpoint)).toEqual([])
  })

  it('that is stopped is named, with what to do', async () => {
    const { info } = await workspace.connect()
    process.kill(info.pid, 'SIGSTOP')
    const connected = await connectOrStart({
      root: workspace.root,
      hostScript: built.hostScript,
      start: true,
      client: 'test',
      env: workspace.env,
    })
    // On a loaded machine the limit is longer, and the load may rise meanwhile.
    const limitMs = 500 * patience()
    const error: unknown = await HostConnection.open(connected, { timeoutMs: 500 }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HostHungError)
    const { message, waitedMs } = error as HostHungError
    expect(waitedMs).toBeGreaterThanOrEqual(500)
    expect(waitedMs).toBeLessThan(Math.max(limitMs, 500 * patience()) + 100)
    expect(message).toMatch(new RegExp(`pid ${info.pid}\\) did not answer within ${waitedMs} ms.*kill -9 ${info.pid}`))
  })

  it('because its script is missing is reported with the reason', async () => {
    const failing = connectOrStart({
      root: workspace.root,
      hostScript: '/nowhere/host.js',
      start: true,
      client: 'test',
      env: workspace.env,
    })
    const error: unknown = await failing.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HostStartError)
    expect((error as Error).message).toMatch(/exited with 1[\s\S]*nowhere/)
  })

  it('because Node is missing is reported with the reason', async () => {
    await expect(
      connectOrStart({
        root: workspace.root,
        hostScript: built.hostScript,
        nodePath: '/nowhere/node',
        start: true,
        client: 'test',
        env: workspace.env,
      }),
    ).rejects.toThrow(/nowhere\/node could not be run/)
  })
})

describe('the handshake', () => {
  const open = async (change: Record<string, unknown>) => {
    const connected = await connectOrStart({
      root: workspace.root,
      hostScript: built.hostScript,
      start: true,
      client: 'test',
      env: workspace.env,
      timeoutMs: 30_000,
    })
    workspace.track(connected.info.pid)
    return HostConnection.open({
      ...connected,
      initializationOptions: { ...connected.initializationOptions, ...change },
    })
  }

  it.each([
    ['a wrong token', { token: '0'.repeat(64) }],
    ['a token of another length', { token: 'x' }],
    ['no token', { token: undefined }],
    ['a token that is no text', { token: 5 }],
  ])('with %s is refused, and the connection ends', async (_, change) => {
    const error: unknown = await open(change).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HostRequestError)
    expect((error as Error).message).toMatch(/token is missing or wrong/)
    const connection = await workspace.connect()
    expect((await connection.request('unhang/hostStatus', {})).clients).toBe(1)
  })

  it('of another protocol is refused with both versions', async () => {
    await expect(open({ protocolVersion: 7 })).rejects.toThrow(/speaks protocol 1, the client 7/)
  })
})
