import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { createProcessTable, ProtectedPids } from '../../../src/processes'
import { KillLedger, shutDown, ShutdownHistory } from '../../../src/shutdown'
import { StartedProcesses, until, type Started } from './startedProcesses'

// What serves macOS and Windows works on Linux too, so that it is tested at all: with ps instead of WMI.
const processes = new StartedProcesses()
const table = createProcessTable({ platform: 'darwin' })
afterEach(() => processes.endAll())

const sleeping = 'echo ready; exec sleep 1000'

async function identify({ pid }: Started): Promise<NonNullable<Awaited<ReturnType<typeof table.identify>>>> {
  return (await table.identify(pid))!
}

describe.skipIf(process.platform === 'win32')('the process table of systems without /proc', () => {
  test('gives a process the same identity again, though its start is only known to a second or two', async () => {
    const started = await processes.shell(sleeping)
    const first = await identify(started)
    await setTimeout(1200)
    expect(await identify(started)).toEqual(first)
    expect(await table.exists(first)).toBe(true)
    // Another table, as after a restart of the host, may see another second and still knows the process.
    expect(await createProcessTable({ platform: 'darwin' }).exists(first)).toBe(true)
  })

  test('tells the processes of one pid apart by their start, as far as seconds go', async () => {
    const identity = await identify(await processes.shell(sleeping))
    const earlier = { ...identity, startTime: 'epoch-1000000000' }
    expect(await table.exists(earlier)).toBe(false)
    expect(await table.signal(earlier, 'SIGKILL')).toBe('reused')
    expect(await table.usage([earlier])).toEqual(new Map())
    expect(await table.exists(identity)).toBe(true)
  })

  test('finds nobody behind a pid that is not taken', async () => {
    const gone = await processes.shell('echo ready')
    await gone.exited
    expect(await table.identify(gone.pid)).toBeUndefined()
    expect(await table.identify(0)).toBeUndefined()
  })

  test('describes a process without what the library does not tell', async () => {
    const started = await processes.shell(sleeping)
    // Between its word and its exec it is still the shell.
    await until(async () => (await createProcessTable().inspect(started.identity))?.command === 'sleep', 'the exec')
    await processes.kill(started, 'SIGSTOP')
    const row = await until(async () => {
      const now = await createProcessTable({ platform: 'darwin' }).inspect(await identify(started))
      return now?.state === 'stopped' && now
    }, 'the stop')
    expect(row).toMatchObject({
      parentPid: process.pid,
      processGroup: 0,
      session: 0,
      command: expect.stringMatching(/^(sh|sleep)$/) as string,
    })
    expect(await table.signalMasks(row.identity)).toBeUndefined()
  })

  test('finds children by parent', async () => {
    const started = await processes.shell('sleep 1000 & echo ready; wait')
    const identity = await identify(started)
    const below = await until(async () => {
      const rows = (await table.descendants([{ identity }])).get(started.pid)!
      return rows.length > 0 && rows
    }, 'the child')
    expect(below.map(({ parentPid }) => parentPid)).toEqual([started.pid])
  })

  test('measures CPU time and memory through pidusage, and leaves out who is gone', async () => {
    const busy = await processes.node('catches-sigterm-and-spins.mjs')
    const gone = await processes.shell(sleeping)
    const identities = [await identify(busy), await identify(gone)]
    await processes.kill(gone, 'SIGKILL')
    await gone.exited
    const usage = await until(async () => {
      const all = await table.usage(identities)
      return (all.get(busy.pid)?.cpuTimeMs ?? 0) > 200 && all
    }, 'CPU time')
    expect([...usage.keys()]).toEqual([busy.pid])
    expect(usage.get(busy.pid)!.memoryBytes).toBeGreaterThan(20e6)
  })

  test('protects what must not be signalled', async () => {
    const started = await processes.shell(sleeping)
    const guarded = createProcessTable({ platform: 'darwin', protectedPids: new ProtectedPids([started.pid]) })
    expect(await guarded.signal(await identify(started), 'SIGKILL')).toBe('protected')
    expect(await guarded.signal({ pid: process.ppid, startTime: 'epoch-1' }, 'SIGKILL')).toBe('protected')
  })

  test('carries a shutdown: what obeys is terminated, what does not is killed, with its child', async () => {
    const obeying = await processes.shell(sleeping)
    const stubborn = await processes.shell('trap "" TERM; sleep 1000 & echo ready; wait')
    const targets = await Promise.all(
      [obeying, stubborn].map(async (started, index) => ({
        identity: await identify(started),
        name: `PoolWorker-${index + 1}`,
        exited: started.exited,
      })),
    )
    const report = await shutDown(
      {
        subject: { id: 'pool-1', name: 'Test' },
        targets,
        gracePeriodMs: 1500,
        useSigkill: true,
        reason: 'test',
        askedBy: 'api',
      },
      { processes: table, ledger: new KillLedger(), memory: new ShutdownHistory() },
    )
    expect(report.issues).toEqual([])
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['terminated', 'killed', 'killed'])
  })
})
