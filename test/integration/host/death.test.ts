import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildHost, childrenOf, fixtures, isRunning, poolsOf, TestWorkspace, until, untilPool } from './testWorkspace'

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
/** Pids of a pool once it runs; they are ended after the test, whatever happens. */
const started = async (
  host: Awaited<ReturnType<typeof workspace.connect>>,
  definition: Record<string, unknown>,
  count: number,
) => {
  const { poolId } = await host.request('unhang/launchPool', { definition, label: 'Left' })
  const pool = await untilPool(host, poolId, 'the tasks to run', ({ counts }) => counts.running === count)
  const pids = pool.workers.map(({ pid }) => pid)
  for (const pid of pids) workspace.track(pid)
  return { poolId, pids }
}

describe('after the host was killed', () => {
  it('its node workers are gone within two seconds, and are not shown', async () => {
    const host = await workspace.connect()
    const { pids } = await started(host, { module: join(fixtures, 'work.js#never'), items: [1, 2, 3], processes: 3 }, 3)
    const since = performance.now()
    await kill(host.info.pid)
    await until('the workers to be gone', () => !pids.some(isRunning))
    expect(performance.now() - since).toBeLessThan(2000)
    expect(await poolsOf(await workspace.connect())).toEqual([])
  })

  it('a command that goes on is shown as orphaned, and ended by the same command as any other', async () => {
    const first = await workspace.connect()
    const {
      poolId,
      pids: [pid = -1],
    } = await started(first, { command: ['sh', '-c', 'trap "" TERM; exec sleep 1000'], items: ['x'] }, 1)
    await until('the trap', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n')
    await kill(first.info.pid)
    const second = await workspace.connect()
    const [pool] = await poolsOf(second)
    expect(pool).toMatchObject({
      id: poolId,
      name: 'Left',
      orphaned: true,
      state: 'terminate',
      kind: 'command',
      counts: { running: 1, stuck: 1 },
    })
    expect(pool?.workers).toMatchObject([
      {
        name: 'PoolWorker-1',
        pid,
        status: 'busy',
        task: {
          state: 'running',
          stuck: true,
          verdict: { code: 'orphaned', confidence: 'certain', messages: { advice: { args: [] } } },
        },
      },
    ])
    expect(pool?.workers[0]?.task?.label).toContain('sleep 1000')
    const { issues } = await second.request('unhang/shutdown', {
      targets: [{ kind: 'pool', poolId }],
      mode: 'terminate',
      askedBy: 'cli',
    })
    expect(issues).toEqual([expect.stringMatching(new RegExp(`still alive: PoolWorker-1, pid=${pid}`))])
    expect(
      (
        await second.request('unhang/shutdown', {
          targets: [{ kind: 'worker', poolId, pid }],
          mode: 'kill',
          askedBy: 'cli',
        })
      ).issues,
    ).toEqual([])
    expect(isRunning(pid)).toBe(false)
    expect(await untilPool(second, poolId, 'the pool to end', ({ state }) => state === 'ended')).toMatchObject({
      counts: { running: 0, stuck: 0, lost: 1 },
      workers: [{ status: 'exited' }],
    })
  })

  it.each(['orphans', 'all', 'stuck'] as const)('orphans are among "%s"', async (kind) => {
    const first = await workspace.connect()
    const { poolId, pids } = await started(first, { command: ['sleep', '1000'], items: [1, 2], processes: 2 }, 2)
    await kill(first.info.pid)
    const second = await workspace.connect()
    expect(
      (await second.request('unhang/shutdown', { targets: [{ kind }], mode: 'kill', askedBy: 'user' })).issues,
    ).toEqual([])
    expect(pids.filter(isRunning)).toEqual([])
    await untilPool(second, poolId, 'the pool to end', ({ state }) => state === 'ended')
  })

  it('what a command left behind is found although the command itself is gone', async () => {
    const first = await workspace.connect()
    const {
      poolId,
      pids: [pid = -1],
    } = await started(first, { command: ['sh', '-c', 'sleep 1000 & wait'], items: [1] }, 1)
    const [child = -1] = await until('the child', () => {
      const children = childrenOf(pid)
      return children.length > 0 && children
    })
    workspace.track(child)
    await kill(first.info.pid)
    process.kill(pid, 'SIGKILL')
    await until('the command to be gone', () => !isRunning(pid))
    const second = await workspace.connect()
    const pool = (await poolsOf(second)).find(({ id }) => id === poolId)
    expect(pool).toMatchObject({
      orphaned: true,
      workers: [{ name: `PoolWorker-1/${child}`, pid: child, status: 'busy' }],
    })
    expect(
      (await second.request('unhang/shutdown', { targets: [{ kind: 'orphans' }], mode: 'kill', askedBy: 'cli' }))
        .issues,
    ).toEqual([])
    expect(isRunning(child)).toBe(false)
  })

  it('an orphan that ends by itself is noticed', async () => {
    const first = await workspace.connect()
    const {
      poolId,
      pids: [pid = -1],
    } = await started(first, { command: ['sleep', '1000'], items: [1] }, 1)
    await kill(first.info.pid)
    const second = await workspace.connect()
    await untilPool(second, poolId, 'the orphan', ({ orphaned }) => orphaned)
    process.kill(pid, 'SIGTERM')
    await untilPool(second, poolId, 'its end', ({ state, endedAt }) => state === 'ended' && endedAt !== null)
    await second.request('unhang/removePool', { poolId })
    expect(await poolsOf(second)).toEqual([])
  })

  it('orphans outlast a second dead host, and are measured while somebody looks', async () => {
    const first = await workspace.connect()
    const {
      poolId,
      pids: [pid = -1],
    } = await started(first, { command: ['sleep', '1000'], items: [1] }, 1)
    await kill(first.info.pid)
    const second = await workspace.connect()
    await untilPool(second, poolId, 'the orphan', ({ orphaned }) => orphaned)
    await kill(second.info.pid)
    const third = await workspace.connect()
    await third.request('unhang/watch', { workers: true, machine: false, intervalMs: 200 })
    const pool = await untilPool(third, poolId, 'a measurement', ({ workers }) => (workers[0]?.memoryBytes ?? 0) > 0)
    expect(pool.workers[0]?.pid).toBe(pid)
  })

  it('nothing of an orphan can be run again', async () => {
    const first = await workspace.connect()
    const {
      poolId,
      pids: [pid = -1],
    } = await started(first, { command: ['sleep', '1000'], items: [1] }, 1)
    await kill(first.info.pid)
    const second = await workspace.connect()
    await expect(second.request('unhang/retryTask', { poolId, taskId: `orphan-${pid}` })).rejects.toThrow(
      /can only be ended/,
    )
    expect(await second.request('unhang/failures', { poolId })).toEqual({ failures: [], total: 0 })
    await second.request('unhang/cancelTask', { poolId, taskId: `orphan-${pid}` })
    expect(isRunning(pid)).toBe(false)
  })

  it('the output of its pools goes with the next host', async () => {
    const first = await workspace.connect()
    const { poolId } = await first.request('unhang/launchPool', {
      definition: { command: ['echo', 'hello'], items: [1] },
    })
    await untilPool(first, poolId, 'the end', ({ state }) => state === 'ended')
    const { outputDirectory } = await workspace.endpoint()
    await kill(first.info.pid)
    await workspace.connect()
    expect(existsSync(outputDirectory) ? (await import('node:fs')).readdirSync(outputDirectory) : []).toEqual([])
  })
})

describe('a host that is told to end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends its pools first', async (signal) => {
    const host = await workspace.connect()
    const node = await started(host, { module: join(fixtures, 'work.js#never'), items: [1, 2], processes: 2 }, 2)
    const command = await started(host, { command: ['sh', '-c', 'sleep 1000 & wait'], items: [1] }, 1)
    const children = await until('the child', () => {
      const found = childrenOf(command.pids[0] ?? -1)
      return found.length > 0 && found
    })
    for (const child of children) workspace.track(child)
    process.kill(host.info.pid, signal)
    process.kill(host.info.pid, signal)
    await until('the host to end', () => !isRunning(host.info.pid))
    expect([...node.pids, ...command.pids, ...children].filter(isRunning)).toEqual([])
    const { infoFile, ledgerFile } = await workspace.endpoint()
    expect([infoFile, ledgerFile].filter((file) => existsSync(file))).toEqual([])
  })

  it('takes no more launches, and the next one waits for it', async () => {
    const host = await workspace.connect()
    const other = await workspace.connect()
    const {
      pids: [pid = -1],
    } = await started(
      host,
      { command: ['sh', '-c', 'trap "" TERM; exec sleep 1000'], items: [1], gracePeriodMs: 1500 },
      1,
    )
    await until('the trap', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n')
    const stopped = host.request('unhang/stopHost', {})
    stopped.catch(() => undefined)
    await until('it to be ending', async () => (await workspace.info()) === undefined)
    await expect(other.request('unhang/launchPool', { definition: { command: ['true'], items: [1] } })).rejects.toThrow(
      /This host is ending/,
    )
    const next = await workspace.connect()
    expect(next.info.pid).not.toBe(host.info.pid)
    expect(isRunning(host.info.pid)).toBe(false)
    expect((await stopped).issues).toHaveLength(1)
    expect((await poolsOf(next))[0]).toMatchObject({ orphaned: true, workers: [{ pid }] })
  })
})

describe('an idle host', () => {
  beforeEach(async () => {
    await workspace.dispose()
    workspace = new TestWorkspace(built.hostScript, { UNHANG_IDLE_MS: '300' })
  })

  it('ends after its last client, and removes what it made', async () => {
    const host = await workspace.connect()
    const { pid } = host.info
    await host.close()
    await until('the host to end', () => !isRunning(pid))
    const { directory, infoFile, outputDirectory, ledgerFile } = await workspace.endpoint()
    for (const file of [infoFile, outputDirectory, ledgerFile]) expect(existsSync(file), file).toBe(false)
    expect((await import('node:fs')).readdirSync(directory).filter((name) => name.endsWith('.sock'))).toEqual([])
  })

  it('stays while a pool runs, and ends after it', async () => {
    const host = await workspace.connect()
    const { pid } = host.info
    await host.request('unhang/launchPool', { definition: { command: ['sleep', '1.5'], items: [1] } })
    await host.close()
    await new Promise((done) => {
      setTimeout(done, 1000)
    })
    expect(isRunning(pid)).toBe(true)
    await until('the host to end', () => !isRunning(pid))
  })

  it('that nobody ever speaks to ends too', async () => {
    const { ended } = workspace.spawnHost()
    expect(await ended).toEqual({ code: 0, stderr: '' })
  })

  it('leaves orphans alone, and the next host shows them', async () => {
    const first = await workspace.connect()
    const {
      poolId,
      pids: [pid = -1],
    } = await started(first, { command: ['sleep', '1000'], items: [1] }, 1)
    await kill(first.info.pid)
    const second = await workspace.connect()
    await untilPool(second, poolId, 'the orphan', ({ orphaned }) => orphaned)
    const hostPid = second.info.pid
    await second.close()
    await until('the host to end', () => !isRunning(hostPid))
    expect(isRunning(pid)).toBe(true)
    const third = await workspace.connect()
    await untilPool(third, poolId, 'the orphan again', ({ orphaned, workers }) => orphaned && workers[0]?.pid === pid)
  })

  it('is found or replaced by whoever comes at that very moment', async () => {
    for (let round = 0; round < 15; round++) {
      const host = await workspace.connect()
      await host.close()
      await new Promise((done) => {
        setTimeout(done, 285 + round * 3)
      })
      const next = await workspace.connect()
      expect((await next.request('unhang/hostStatus', {})).clients).toBe(1)
      await next.close()
    }
  })
})
