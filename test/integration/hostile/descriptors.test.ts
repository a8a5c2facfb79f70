import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HostRequestError } from '../../../src/discovery'
import { buildHost, fixtures, TestWorkspace, until, untilPool } from '../host/testWorkspace'
import { Workspace } from '../cli/workspace'

let built: Awaited<ReturnType<typeof buildHost>>
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})

describe('a host with more silent connections than it has places', { retry: 0 }, () => {
  let workspace: TestWorkspace
  beforeEach(() => {
    workspace = new TestWorkspace(built.hostScript)
  })
  afterEach(async () => {
    await workspace.dispose()
  })

  it('ends those that say nothing for a client that does', async () => {
    const good = await workspace.connect()
    const silent: Socket[] = []
    try {
      await Promise.all(
        Array.from({ length: 255 }, async () => {
          silent.push(await workspace.rawTo(good.info))
        }),
      )
      // Long before their ten seconds have passed, and without being refused once they are old enough to be called
      // silent.
      await until('a place', () => workspace.connect().catch(() => undefined), 3000)
      expect(await good.request('unhang/hostStatus', {})).toMatchObject({ pools: 0 })
    } finally {
      for (const socket of silent) socket.destroy()
    }
  })

  it(
    'tells a client why it is not served, goes on for those it serves, and has a place again once ' + 'some are closed',
    async () => {
      const good = await workspace.connect()
      const { poolId } = await good.request('unhang/launchPool', {
        definition: { module: join(fixtures, 'work.js#never'), items: [1], processes: 1 },
      })
      const silent: Socket[] = []
      try {
        await Promise.all(
          Array.from({ length: 255 }, async () => {
            const socket = await workspace.rawTo(good.info)
            // It has begun to speak, and may be slow.
            socket.write('Content-Length: ')
            silent.push(socket)
          }),
        )
        const refused: unknown = await until('a refusal', async () =>
          workspace.connect().then(
            async (served) => {
              await served.close()
            },
            (error: unknown) => error,
          ),
        )
        expect(refused).toBeInstanceOf(HostRequestError)
        expect((refused as Error).message).toMatch(/has \d+ connections, as many as it takes/)
        await untilPool(good, poolId, 'the pool to run', ({ counts }) => counts.running === 1)
        for (const socket of silent.splice(0, 10)) socket.destroy()
        await until('a place', () => workspace.connect().catch(() => undefined), 6000)
        expect(
          await good.request('unhang/shutdown', { targets: [{ kind: 'pool', poolId }], mode: 'kill', askedBy: 'user' }),
        ).toMatchObject({ issues: [] })
      } finally {
        for (const socket of silent) socket.destroy()
      }
    },
  )
})

describe.skipIf(process.platform === 'win32')('a host that may open few files', { retry: 0 }, () => {
  let workspace: Workspace
  const sockets: Socket[] = []
  beforeEach(async () => {
    workspace = await Workspace.create()
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await workspace.dispose()
  })

  it('says so to a client for which none is left, and serves it once there is one', async () => {
    await workspace.writeTasks([{ label: 'Sleep', command: 'sleep 600', items: [1], processes: 1 }])
    const { command, ...options } = workspace.commandLine(['pool', '--detach', 'Sleep'])
    const launched = await workspace.startAs(['sh', '-c', 'ulimit -n 48; exec "$@"', 'sh', ...command], options)
      .finished
    expect(launched).toMatchObject({ code: 0 })
    const { socketPath } = await workspace.hostInfo()
    // Each open connection is a file of the host's.
    const refused = await until(
      'a refusal',
      async () => {
        const socket = connect(socketPath).on('error', () => undefined)
        // One that says nothing would be ended for the next.
        socket.write('Content-Length: ')
        sockets.push(socket)
        const ran = await workspace.run('ps')
        return ran.code === 0 ? undefined : ran
      },
      60_000,
    )
    expect(refused.stderr).toMatch(/ulimit -n/)
    expect(refused.stderr).not.toMatch(/new host starts by itself/)
    for (const socket of sockets.splice(0)) socket.destroy()
    await until('a place', async () => (await workspace.run('ps')).code === 0, 30_000)
    expect(await workspace.run('kill', 'Sleep')).toMatchObject({ code: 0, stdout: '' })
  })

  const limited = (files: number, ...args: string[]) => {
    const { command, ...options } = workspace.commandLine(args)
    return workspace.startAs(['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...command], options).finished
  }

  it('does not start where it could take no client, and the command says why', async () => {
    const launched = await limited(32, 'pool', 'Word count')
    expect(launched).toMatchObject({ code: 1, stdout: '' })
    expect(launched.stderr).toMatch(/Only 32 files may be open here \(ulimit -n\), and a host needs 48/)
    expect(await workspace.processes()).toEqual([])
  })

  it('is not started by a command that has no file left for it, which says why', async () => {
    const said: string[] = []
    // Below, Node itself does not start; how many files it needs differs from version to version.
    for (let files = 19; files < 32; files++) said.push((await limited(files, 'pool', 'Word count')).stderr)
    expect(said.join('\n')).toMatch(/could not be run \(.*EMFILE\): .*\(ulimit -n\)/)
    expect(said.join('\n')).not.toMatch(/Cannot read properties/)
    expect(await workspace.processes()).toEqual([])
  })
})
