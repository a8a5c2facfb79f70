import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HostConnection } from '../../../src/discovery'
import { MetadataServer } from '../shutdown/metadataServer'
import { buildHost, childrenOf, fixtures, isRunning, TestWorkspace, until, untilPool } from './testWorkspace'

let built: Awaited<ReturnType<typeof buildHost>>
let workspace: TestWorkspace
let metadata: MetadataServer
beforeAll(async () => {
  built = await buildHost()
})
afterAll(() => {
  built.remove()
})
beforeEach(async () => {
  workspace = new TestWorkspace(built.hostScript)
  metadata = await MetadataServer.start()
})
afterEach(async () => {
  await workspace.dispose()
  await metadata.close()
})

const never = join(fixtures, 'work.js#never')
/** Says when and with what it was called. */
const save = 'echo "$UNHANG_OCCASION $UNHANG_POOL $EXTRA" >> saved.txt'
const saved = (): string[] => {
  const file = join(workspace.root, 'saved.txt')
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.trim())
    : []
}

/** A host that is our own child, so that its exit code is seen, and a client of it. */
const startHost = async () => {
  const { child, ended } = workspace.spawnHost()
  await until('the host to listen', async () => (await workspace.info())?.pid === child.pid)
  const connection = await workspace.connect({ start: false })
  // It may have left by the second time.
  return {
    connection,
    sigterm: () => {
      child.kill('SIGTERM')
    },
    left: async () => (await ended).code,
  }
}

/** A pool whose tasks run; its processes are ended after the test, whatever happens. */
const launch = async (
  connection: HostConnection,
  definition: Record<string, unknown>,
  running = 1,
  env?: Record<string, string>,
) => {
  const { poolId } = await connection.request('unhang/launchPool', {
    definition,
    label: 'Work',
    ...(env ? { env: { ...(process.env as Record<string, string>), ...env } } : {}),
  })
  const pool = await untilPool(connection, poolId, 'the tasks to run', ({ counts }) => counts.running >= running)
  const pids = pool.workers.map(({ pid }) => pid)
  for (const pid of pids) workspace.track(pid)
  return { poolId, pids }
}

/** A command that ignores SIGTERM, once it does so, with the child that does too. */
const launchStubborn = async (
  connection: HostConnection,
  termination: Record<string, unknown>,
  env?: Record<string, string>,
) => {
  const { poolId, pids } = await launch(
    connection,
    {
      command: ['sh', '-c', 'trap "" TERM; sleep 1000 & wait; exec sleep 1000'],
      items: [1],
      termination,
      env: { EXTRA: 'extra' },
    },
    1,
    env,
  )
  const children = await until('the child', () => {
    const found = childrenOf(pids[0] ?? -1)
    return found.length > 0 && found
  })
  for (const child of children) workspace.track(child)
  await until('the trap', () => children.every((child) => ignoresSigterm(child)))
  return { poolId, pids: [...pids, ...children] }
}

/** Until the host's log says so. */
const heard = (line: string) => until(`the host to say "${line}"`, async () => (await workspace.log()).includes(line))

const ignoresSigterm = (pid: number): boolean => {
  const line = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (BigInt(`0x${line?.[1] ?? '0'}`) & (1n << 14n)) !== 0n
}

describe('SIGTERM to a host whose pool has a termination', () => {
  it('saves, ends a hung task that ignores SIGTERM, and leaves with the exit code of the platform', async () => {
    const host = await startHost()
    const { pids } = await launchStubborn(host.connection, { platform: 'borg', save })
    const since = performance.now()
    host.sigterm()
    expect(await host.left()).toBe(42)
    // Without a grace period a platform leaves 30 s between SIGTERM and SIGKILL.
    expect(performance.now() - since).toBeLessThan(30_000)
    expect(saved()).toEqual(['final Work extra'])
    expect(pids.filter(isRunning)).toEqual([])
    expect(existsSync((await workspace.endpoint()).ledgerFile)).toBe(false)
  })

  it('lets running tasks end, and starts no more', async () => {
    const host = await startHost()
    const { poolId } = await launch(
      host.connection,
      {
        command: 'echo begun >> begun.txt; until [ -e go ]; do sleep 0.05; done; echo done >> done.txt',
        items: { range: [0, 10] },
        processes: 2,
        termination: { platform: 'other', save: 'cat done.txt >> saved.txt' },
      },
      2,
    )
    await until(
      'both to have begun',
      () =>
        existsSync(join(workspace.root, 'begun.txt')) &&
        readFileSync(join(workspace.root, 'begun.txt'), 'utf8') === 'begun\nbegun\n',
    )
    host.sigterm()
    await heard('No task is started any more; 2 still run')
    const ended = untilPool(host.connection, poolId, 'the end', ({ state }) => state === 'ended')
    writeFileSync(join(workspace.root, 'go'), '')
    expect((await ended).counts).toMatchObject({ done: 2, lost: 0, cancelled: 8 })
    expect(await host.left()).toBe(42)
    expect(saved()).toEqual(['done', 'done'])
    expect(readFileSync(join(workspace.root, 'begun.txt'), 'utf8')).toBe('begun\nbegun\n')
  })

  it('tells whoever follows the pool what happens, to the end', async () => {
    const host = await startHost()
    let text = ''
    host.connection.on('unhang/output', ({ chunks }) => {
      for (const chunk of chunks) text += `${chunk.worker}: ${chunk.text}`
    })
    const { poolId } = await host.connection.request('unhang/launchPool', {
      follow: true,
      definition: { module: never, items: [1], termination: { platform: 'other', save: 'echo done with it' } },
    })
    const {
      workers: [worker],
    } = await untilPool(host.connection, poolId, 'the task to run', ({ counts }) => counts.running === 1)
    workspace.track(worker?.pid ?? -1)
    const ended = untilPool(host.connection, poolId, 'the end', ({ state }) => state === 'ended')
    host.sigterm()
    await until('it to be heard', () => text.includes('No task is started any more'))
    host.sigterm()
    expect((await ended).counts).toMatchObject({ running: 0, lost: 1 })
    expect(await host.left()).toBe(42)
    expect(text).toMatch(/termination: Notice of termination from SIGTERM; leaving at once/)
    expect(text).toMatch(/save: done with it/)
    expect(text).toMatch(/Leaving with exit code 42/)
  })

  it('with a grace period saves at once, goes on, saves again, and leaves inside of it', async () => {
    const host = await startHost()
    const gracePeriodMs = 8000
    const { pids } = await launchStubborn(host.connection, { platform: 'slurm', gracePeriodMs, exitCode: 99, save })
    const since = performance.now()
    host.sigterm()
    await until('the first save', () => saved().length === 1)
    expect(pids.every(isRunning)).toBe(true)
    expect(await host.left()).toBe(99)
    expect(performance.now() - since).toBeLessThan(gracePeriodMs)
    expect(saved()).toEqual(['notice Work extra', 'final Work extra'])
    expect(pids.filter(isRunning)).toEqual([])
  })

  it('a second SIGTERM ends the grace period', async () => {
    const host = await startHost()
    const { pids } = await launch(host.connection, {
      module: never,
      items: [1],
      termination: { platform: 'other', gracePeriodMs: 3_600_000, save },
    })
    host.sigterm()
    await until('the first save', () => saved().length === 1)
    host.sigterm()
    await heard('is not used')
    host.sigterm()
    expect(await host.left()).toBe(42)
    expect(saved()).toHaveLength(2)
    expect(pids.filter(isRunning)).toEqual([])
  })

  it('a save that fails, and one that hangs, keep nobody from leaving', async () => {
    const host = await startHost()
    const pidFile = join(workspace.root, 'save.pid')
    await launch(host.connection, {
      module: never,
      items: [1],
      termination: { platform: 'other', save: 'echo no disk >&2; exit 7' },
    })
    await launch(host.connection, {
      module: never,
      items: [1],
      termination: {
        platform: 'other',
        gracePeriodMs: 6000,
        save: `trap "" TERM; echo $$ > ${pidFile}; sleep 1000; true`,
      },
    })
    host.sigterm()
    await until('the save', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '')
    const savePid = Number(readFileSync(pidFile, 'utf8'))
    workspace.track(savePid)
    expect(await host.left()).toBe(42)
    expect(isRunning(savePid)).toBe(false)
    const log = await workspace.log()
    expect(log).toMatch(
      /The save \(final\) failed after \d+ ms: "save" \(echo no disk >&2; exit 7\) ended with exit 7: no disk/,
    )
    expect(log).toMatch(/The save \(notice\) was not done after \d+ ms/)
  })

  it('ends the pools that have none at once, and launches nothing more', async () => {
    const host = await startHost()
    const plain = await launch(host.connection, { module: never, items: [1] })
    const { poolId } = await launch(host.connection, {
      module: never,
      items: [1],
      termination: { platform: 'other', gracePeriodMs: 3_600_000, save },
    })
    host.sigterm()
    await untilPool(host.connection, plain.poolId, 'it to end', ({ state }) => state === 'ended')
    await until('the first save', () => saved().length === 1)
    await expect(
      host.connection.request('unhang/launchPool', { definition: { command: ['true'], items: [1] } }),
    ).rejects.toThrow(/going to be taken away/)
    await untilPool(
      host.connection,
      poolId,
      'the other one to go on',
      ({ state }) => state === 'run' || state === 'close',
    )
    host.connection.request('unhang/stopHost', {}).catch(() => undefined)
    await heard('is not used')
    host.sigterm()
    expect(await host.left()).toBe(42)
    expect(saved()).toHaveLength(2)
  })

  it('means that there is no time left where the notice comes from elsewhere', async () => {
    const host = await startHost()
    const { pids } = await launch(
      host.connection,
      { module: never, items: [1], termination: { platform: 'gcp-gpu', save } },
      1,
      { GCE_METADATA_IP: metadata.host },
    )
    host.sigterm()
    await heard('leaving at once')
    host.sigterm()
    expect(await host.left()).toBe(143)
    expect(saved()).toEqual(['final Work'])
    expect(pids.filter(isRunning)).toEqual([])
  })

  it("is the host's own affair once those pools have ended", async () => {
    const host = await startHost()
    const { poolId } = await host.connection.request('unhang/launchPool', {
      definition: { command: ['true'], items: [1], termination: { platform: 'other', save } },
    })
    await untilPool(host.connection, poolId, 'the end', ({ state }) => state === 'ended')
    host.sigterm()
    expect(await host.left()).toBe(0)
    expect(saved()).toEqual([])
  })
})

describe('a metadata server that turns to TERMINATE_ON_HOST_MAINTENANCE', () => {
  it('has the host save, end a hung task that ignores SIGTERM, and leave with 143', async () => {
    const host = await startHost()
    // The platform is found by itself: there is a metadata server, and no GPU (or one: then the period is given).
    const { pids } = await launchStubborn(
      host.connection,
      { save, gracePeriodMs: 0 },
      { GCE_METADATA_IP: metadata.host },
    )
    await until('two polls', () => metadata.polls >= 2)
    expect(saved()).toEqual([])
    const since = performance.now()
    metadata.behaviour = 'TERMINATE_ON_HOST_MAINTENANCE'
    expect(await host.left()).toBe(143)
    expect(performance.now() - since).toBeLessThan(30_000)
    expect(saved()).toEqual(['final Work extra'])
    expect(pids.filter(isRunning)).toEqual([])
    expect(metadata.refused).toBe(0)
  })

  it('has it use the grace period, and leave inside of it', async () => {
    const host = await startHost()
    const gracePeriodMs = 8000
    const { pids } = await launchStubborn(
      host.connection,
      { platform: 'gcp-gpu', save, gracePeriodMs },
      { GCE_METADATA_IP: metadata.host },
    )
    await until('a poll', () => metadata.polls >= 1)
    const since = performance.now()
    metadata.behaviour = 'TERMINATE_ON_HOST_MAINTENANCE'
    expect(await host.left()).toBe(143)
    // The notice is heard within a second or so of the change; the period counts from when it is heard.
    expect(performance.now() - since).toBeLessThan(gracePeriodMs + 5000)
    expect(saved()).toEqual(['notice Work extra', 'final Work extra'])
    expect(pids.filter(isRunning)).toEqual([])
    const log = await workspace.log()
    const after = Number(/Leaving with exit code 143, (\d+) ms after the notice/.exec(log)?.[1])
    expect(after).toBeLessThan(gracePeriodMs)
  })
})

describe('a termination that cannot run', () => {
  it('is told before anything is started', async () => {
    const host = await startHost()
    const definition = (termination: unknown) => ({ command: ['true'], items: [1], termination })
    await expect(
      host.connection.request('unhang/launchPool', { definition: definition({ platfrom: 'borg' }) }),
    ).rejects.toThrow(/Did you mean "platform"/)
    await expect(
      host.connection.request('unhang/launchPool', { definition: definition({ save: ['no-such-program'] }) }),
    ).rejects.toThrow(/"termination.save\[0\]": "no-such-program" was not found in PATH/)
    writeFileSync(join(workspace.root, 'plain.sh'), '')
    await expect(
      host.connection.request('unhang/launchPool', { definition: definition({ save: ['./plain.sh'] }) }),
    ).rejects.toThrow(/not executable/)
  })
})
