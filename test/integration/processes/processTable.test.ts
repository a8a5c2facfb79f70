import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { createProcessTable, createUsageReader, ProtectedPids } from '../../../src/processes'
import { StartedProcesses, until } from './startedProcesses'

const processes = new StartedProcesses()
const table = createProcessTable()
afterEach(() => processes.endAll())

const sleeping = 'echo ready; exec sleep 1000'

describe.skipIf(process.platform !== 'linux')('the process table of Linux', () => {
  test('identifies this process the same way every time', async () => {
    const one = await table.identify(process.pid)
    expect(one).toEqual(await table.identify(process.pid))
    expect(one?.startTime).toMatch(/^[0-9a-f-]{36}-\d+$/)
  })

  test('finds nobody behind a pid that is not taken or makes no sense', async () => {
    const { child, pid, exited } = await processes.shell('echo ready')
    await exited
    expect(child.exitCode).toBe(0)
    expect(await table.identify(pid)).toBeUndefined()
    for (const nonsense of [0, -1, 1.5, Number.NaN, Infinity]) expect(await table.identify(nonsense)).toBeUndefined()
  })

  test('tells the processes of one pid apart by their start', async () => {
    const { identity } = await processes.shell(sleeping)
    const earlier = { ...identity, startTime: identity.startTime.replace(/\d+$/, '1') }
    expect(await table.exists(identity)).toBe(true)
    expect(await table.exists(earlier)).toBe(false)
    expect(await table.inspect(earlier)).toBeUndefined()
    expect(await table.signalMasks(earlier)).toBeUndefined()
    expect(await table.usage([earlier])).toEqual(new Map())
  })

  test('describes a process', async () => {
    const { identity, pid } = await processes.shell(sleeping, { detached: true })
    const row = await until(async () => {
      const now = await table.inspect(identity)
      return now?.command === 'sleep' && now.state === 'sleeping' && now
    }, 'the shell to become sleep')
    expect(row).toEqual({
      identity,
      parentPid: process.pid,
      processGroup: pid,
      session: pid,
      state: 'sleeping',
      command: 'sleep',
    })
  })

  test('reads a name with parentheses, a state letter, and a newline in it', async () => {
    const { identity } = await processes.python('odd-name.py')
    await until(async () => (await table.inspect(identity))?.state === 'sleeping', 'sleep')
    expect(await table.inspect(identity)).toMatchObject({ command: 'a) R (b\n c', parentPid: process.pid })
  })

  test('knows a stopped process', async () => {
    const started = await processes.shell(sleeping)
    await processes.kill(started, 'SIGSTOP')
    await until(async () => (await table.inspect(started.identity))?.state === 'stopped', 'the stop')
  })

  test('knows a process that sleeps uninterruptibly', async () => {
    const { identity } = await processes.python('hangs-in-kernel.py')
    await until(async () => (await table.inspect(identity))?.state === 'uninterruptible', 'state D')
  })

  test('knows a zombie, which still exists', async () => {
    const { identity } = await processes.python('has-zombie.py')
    const zombie = await until(async () => {
      const below = await table.descendants([{ identity }])
      return below.get(identity.pid)?.find(({ state }) => state === 'zombie')
    }, 'a zombie')
    expect(await table.exists(zombie.identity)).toBe(true)
  })

  test('does not take a process for a zombie when only its main thread has ended', async () => {
    const { identity } = await processes.python('leader-ended.py')
    await until(
      () => readFileSync(`/proc/${identity.pid}/stat`, 'latin1').includes(') Z '),
      'the end of the main thread',
    )
    expect((await table.inspect(identity))?.state).toBe('sleeping')
  })

  test('reads which signals are ignored, caught and blocked', async () => {
    const ignoring = await processes.shell('trap "" TERM; echo ready; exec sleep 1000')
    const catching = await processes.python('catches-sigterm.py')
    const blocking = await processes.python('blocks-sigterm.py')
    expect((await table.signalMasks(ignoring.identity))?.ignored).toContain('SIGTERM')
    expect((await table.signalMasks(catching.identity))?.caught).toContain('SIGTERM')
    expect((await table.signalMasks(blocking.identity))?.blocked).toContain('SIGTERM')
    await processes.kill(blocking, 'SIGTERM')
    expect((await table.signalMasks(blocking.identity))?.pending).toContain('SIGTERM')
  })

  test('lists this process with its children', async () => {
    const { pid } = await processes.shell(sleeping)
    const rows = await table.list()
    expect(rows.find(({ identity }) => identity.pid === process.pid)).toBeDefined()
    expect(rows.find(({ identity }) => identity.pid === pid)?.parentPid).toBe(process.pid)
  })

  test('measures CPU time and memory by either reader, and leaves out who is gone', async () => {
    const busy = await processes.node('catches-sigterm-and-spins.mjs')
    const gone = await processes.shell('echo ready')
    await gone.exited
    const both = [busy.identity, gone.identity]
    await until(async () => ((await table.usage(both)).get(busy.pid)?.cpuTimeMs ?? 0) > 200, 'CPU time')
    const byProc = await table.usage(both)
    const byPidusage = await createUsageReader(table)(both)
    for (const usage of [byProc, byPidusage]) {
      expect([...usage.keys()]).toEqual([busy.pid])
      expect(usage.get(busy.pid)).toMatchObject({ identity: busy.identity })
      expect(usage.get(busy.pid)!.cpuTimeMs).toBeGreaterThan(200)
      // Node takes some tens of megabytes.
      expect(usage.get(busy.pid)!.memoryBytes).toBeGreaterThan(20e6)
      expect(usage.get(busy.pid)!.memoryBytes).toBeLessThan(2e9)
    }
  })

  test('does not throw when every process of a batch is gone', async () => {
    const gone = await processes.shell('echo ready')
    await gone.exited
    expect(await table.usage([gone.identity])).toEqual(new Map())
    expect(await createUsageReader(table)([gone.identity])).toEqual(new Map())
    expect(await createUsageReader(table)([])).toEqual(new Map())
  })
})

describe.skipIf(process.platform !== 'linux')('descendants', () => {
  test('are found below their parents', async () => {
    const { identity, line } = await processes.shell('echo ready; sh -c "sleep 1000 & echo \\$!; wait" & wait')
    const grandchild = Number(await line())
    const below = (await table.descendants([{ identity }])).get(identity.pid)!
    expect(below.map((row) => row.identity.pid).indexOf(grandchild)).toBe(1)
    expect(below[0]!.parentPid).toBe(identity.pid)
  })

  test('are found when they have left the process group and the session', async () => {
    const { identity, line } = await processes.shell('echo ready; setsid sh -c "echo \\$\\$; sleep 1000" & wait')
    const leader = Number(await line())
    const below = (await table.descendants([{ identity }])).get(identity.pid)!
    expect(below.map((row) => row.identity.pid)).toContain(leader)
  })

  test('are found by session when their parent is gone', async () => {
    const { identity, line, pid } = await processes.shell('echo ready; (sleep 1000 & echo $!); exec sleep 1000', {
      detached: true,
    })
    const orphan = Number(await line())
    await until(
      async () => (await table.list()).find((row) => row.identity.pid === orphan)?.parentPid !== pid,
      're-parenting',
    )
    expect((await table.descendants([{ identity }])).get(pid)!.map((row) => row.identity.pid)).toContain(orphan)
  })

  test(
    'are found by marker when they were re-parented into a session of their own, also after the ' + 'worker is gone',
    async () => {
      const { identity, line, marker, pid, exited } = await processes.shell('echo ready; (setsid sleep 1000 & echo $!)')
      const orphan = Number(await line())
      await exited
      const byMarker = async (): Promise<number[]> =>
        (await table.descendants([{ identity, marker }])).get(pid)!.map((row) => row.identity.pid)
      // Between fork and exec a process has another one's environment.
      expect(await until(async () => ((await byMarker()).length > 0 ? byMarker() : undefined), 'the orphan')).toEqual([
        orphan,
      ])
      expect((await table.descendants([{ identity }])).get(pid)).toEqual([])
      expect((await table.descendants([{ identity, marker: 'another' }])).get(pid)).toEqual([])
    },
  )

  test('of many roots come from one pass', async () => {
    const workers = await Promise.all(Array.from({ length: 8 }, () => processes.shell('sleep 1000 & echo ready; wait')))
    const below = await table.descendants(workers)
    expect([...below.keys()].sort()).toEqual(workers.map(({ pid }) => pid).sort())
    for (const { pid } of workers) expect(below.get(pid)!.map(({ parentPid }) => parentPid)).toEqual([pid])
  })

  test('do not include the siblings in the process group of a pipeline', async () => {
    // A job-control shell gives a pipeline one group, led by its first program.
    const { line, identity } = await processes.start('bash', [
      '-c',
      'echo ready; set -m; sleep 1000 | sleep 999 & jobs -p; wait',
    ])
    const leader = Number(await line())
    const group = await until(async () => {
      const rows = (await table.list()).filter((row) => row.processGroup === leader)
      return rows.length === 2 && rows
    }, 'the pipeline')
    expect(group.every((row) => row.parentPid === identity.pid)).toBe(true)
    const leaderIdentity = group.find((row) => row.identity.pid === leader)!.identity
    expect((await table.descendants([{ identity: leaderIdentity }])).get(leader)).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('signals', () => {
  test('reach the process that is meant', async () => {
    const { child, identity, exited } = await processes.shell(sleeping)
    expect(await table.signal(identity, 'SIGTERM')).toBe('sent')
    await exited
    expect(child.signalCode).toBe('SIGTERM')
    expect(await table.signal(identity, 'SIGTERM')).toBe('gone')
  })

  test('are not sent to another process with the same pid', async () => {
    const { identity } = await processes.shell(sleeping)
    const stranger = { ...identity, startTime: identity.startTime.replace(/\d+$/, '1') }
    expect(await table.signal(stranger, 'SIGKILL')).toBe('reused')
    expect(await table.exists(identity)).toBe(true)
  })

  test('never reach this process, its parent, init, or pids that mean groups', async () => {
    const startTime = (await table.identify(process.pid))!.startTime
    const parent = (await table.identify(process.ppid))!
    for (const identity of [
      { pid: process.pid, startTime },
      parent,
      { pid: 1, startTime },
      { pid: 0, startTime },
      { pid: -1, startTime },
    ]) {
      expect(await table.signal(identity, 'SIGKILL')).toBe('protected')
    }
  })

  test('never reach a protected pid until it is protected no more', async () => {
    const protectedPids = new ProtectedPids()
    const guarded = createProcessTable({ protectedPids })
    const { identity, exited } = await processes.shell(sleeping)
    const protection = protectedPids.add(identity.pid)
    expect(await guarded.signal(identity, 'SIGTERM')).toBe('protected')
    protection[Symbol.dispose]()
    expect(await guarded.signal(identity, 'SIGTERM')).toBe('sent')
    await exited
  })

  test.skipIf(process.getuid?.() !== 0)('that the kernel refuses are reported as denied', async () => {
    const { identity } = await processes.shell(sleeping, { uid: 65534 })
    process.seteuid!(65533)
    try {
      expect(await table.signal(identity, 'SIGTERM')).toBe('denied')
    } finally {
      process.seteuid!(0)
    }
    expect(await table.exists(identity)).toBe(true)
  })
})
