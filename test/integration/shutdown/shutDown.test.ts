import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProcessTable, ProtectedPids, type ProcessTable } from '../../../src/processes'
import {
  explainExit,
  KillLedger,
  ShutdownHistory,
  shutDown,
  type ShutdownReport,
  type ShutdownRequest,
} from '../../../src/shutdown'
import { StartedProcesses, until, type Started } from '../processes/startedProcesses'

const processes = new StartedProcesses()
const table = createProcessTable()
let ledger = new KillLedger()
let memory = new ShutdownHistory()

beforeEach(() => {
  ledger = new KillLedger()
  memory = new ShutdownHistory()
})
afterEach(() => processes.endAll())

const obeys = 'echo ready; exec sleep 1000'
const ignores = 'trap "" TERM; echo ready; exec sleep 1000'

type Options = Partial<ShutdownRequest> & { withoutExited?: boolean; processes?: ProcessTable }

/** Shuts these workers down; the grace period is long enough for a busy machine, and most tests do not use it up. */
function end(
  workers: readonly Started[],
  { withoutExited = false, processes: over = table, ...request }: Options = {},
): Promise<ShutdownReport> {
  const targets = workers.map(({ identity, marker, exited }, index) => ({
    identity,
    marker,
    name: `PoolWorker-${index + 1}`,
    ...(withoutExited ? {} : { exited }),
  }))
  return shutDown(
    {
      subject: { id: 'pool-1', name: 'Test' },
      targets,
      gracePeriodMs: 5000,
      useSigkill: false,
      reason: 'test',
      askedBy: 'api',
      ...request,
    },
    { processes: over, ledger, memory },
  )
}

/** The real table, but for some of its answers. */
function tableWith(answers: Partial<ProcessTable>): ProcessTable {
  const names = ['identify', 'exists', 'inspect', 'signalMasks', 'list', 'descendants', 'usage', 'signal'] as const
  const bound = Object.fromEntries(names.map((name) => [name, table[name].bind(table)])) as unknown as ProcessTable
  return { ...bound, ...answers }
}

function signalsOf(report: ShutdownReport, index = 0): string[] {
  return report.workers[index]!.sent.map(({ signal }) => signal)
}

async function isRunning(pid: number): Promise<boolean> {
  const identity = await table.identify(pid)
  const row = identity && (await table.inspect(identity))
  return row !== undefined && row.state !== 'zombie'
}

describe.skipIf(process.platform !== 'linux')('a worker', () => {
  test('that obeys SIGTERM is terminated, long before its grace period is over', async () => {
    const worker = await processes.shell(obeys)
    const report = await end([worker])
    expect(report.issues).toEqual([])
    expect(report.workers).toMatchObject([
      { name: 'PoolWorker-1', pid: worker.pid, outcome: 'terminated', foreseen: [] },
    ])
    expect(signalsOf(report)).toEqual(['SIGTERM'])
    expect(report.durationMs).toBeLessThan(5000)
    expect(worker.child.signalCode).toBe('SIGTERM')
  })

  test('that ignores SIGTERM is foreseen and named, and stays alive without useSigkill', async () => {
    const worker = await processes.shell(ignores)
    const report = await end([worker], { gracePeriodMs: 50 })
    expect(report.workers).toMatchObject([{ outcome: 'alive', foreseen: ['ignores SIGTERM'] }])
    expect(report.issues).toEqual([`worker still alive: PoolWorker-1, pid=${worker.pid}, ignores SIGTERM`])
    expect(await isRunning(worker.pid)).toBe(true)
  })

  test(
    'that ignores SIGTERM is killed at once with useSigkill: nobody waits for what is known ' + 'to be in vain',
    async () => {
      const report = await end([await processes.shell(ignores)], { useSigkill: true, gracePeriodMs: 60_000 })
      expect(report.issues).toEqual([])
      expect(report.workers).toMatchObject([{ outcome: 'killed', foreseen: ['ignores SIGTERM'] }])
      expect(signalsOf(report)).toEqual(['SIGTERM', 'SIGKILL'])
    },
  )

  test(
    'that catches SIGTERM and goes on is named as such, and killed with useSigkill after ' + 'its grace period',
    async () => {
      const worker = await processes.python('catches-sigterm.py')
      const first = await end([worker], { gracePeriodMs: 50 })
      expect(first.issues).toEqual([`worker still alive: PoolWorker-1, pid=${worker.pid}, catches SIGTERM and goes on`])
      const second = await end([worker], { gracePeriodMs: 50, useSigkill: true })
      expect(second.workers).toMatchObject([{ outcome: 'killed' }])
      const [sigterm, sigkill] = second.workers[0]!.sent
      expect(sigkill!.atMs - sigterm!.atMs).toBeGreaterThanOrEqual(49)
    },
  )

  test('that catches SIGTERM in JavaScript with its event loop blocked needs SIGKILL', async () => {
    const worker = await processes.node('catches-sigterm-and-spins.mjs')
    await until(
      async () => ((await table.usage([worker.identity])).get(worker.pid)?.cpuTimeMs ?? 0) > 200,
      'it to spin',
    )
    expect((await end([worker], { gracePeriodMs: 50 })).issues).toHaveLength(1)
    expect((await end([worker], { gracePeriodMs: 50, useSigkill: true })).workers).toMatchObject([
      { outcome: 'killed' },
    ])
  })

  test('that blocks SIGTERM for good is killed without waiting, once the signal is seen to stay pending', async () => {
    const worker = await processes.python('blocks-sigterm.py')
    const report = await end([worker], { useSigkill: true, gracePeriodMs: 60_000 })
    expect(report.workers).toMatchObject([{ outcome: 'killed', foreseen: ['blocks SIGTERM'] }])
  })

  test('that blocks SIGTERM to fetch it itself gets its grace period', async () => {
    const report = await end([await processes.python('waits-for-blocked-sigterm.py')], { useSigkill: true })
    expect(report.workers).toMatchObject([{ outcome: 'terminated', foreseen: ['blocks SIGTERM'] }])
  })

  test('that is stopped is continued, so that SIGTERM arrives', async () => {
    const worker = await processes.shell(obeys)
    await processes.kill(worker, 'SIGSTOP')
    await until(async () => (await table.inspect(worker.identity))?.state === 'stopped', 'the stop')
    const report = await end([worker])
    expect(report.workers).toMatchObject([{ outcome: 'terminated', foreseen: ['stopped'] }])
    expect(signalsOf(report)).toEqual(['SIGTERM', 'SIGCONT'])
  })

  test('that is stopped and ignores SIGTERM is killed', async () => {
    const worker = await processes.shell(ignores)
    await processes.kill(worker, 'SIGSTOP')
    await until(async () => (await table.inspect(worker.identity))?.state === 'stopped', 'the stop')
    const report = await end([worker], { useSigkill: true })
    expect(report.workers).toMatchObject([{ outcome: 'killed', foreseen: ['stopped', 'ignores SIGTERM'] }])
  })

  test('that hangs in the kernel is not waited for', async () => {
    const worker = await processes.python('hangs-in-kernel.py')
    await until(async () => (await table.inspect(worker.identity))?.state === 'uninterruptible', 'state D')
    // Its child would end by SIGTERM and set it free, so it is left out of this: as if the kernel itself did not let
    // go.
    const alone = tableWith({ descendants: () => Promise.resolve(new Map()) })
    const report = await end([worker], { gracePeriodMs: 60_000, processes: alone })
    expect(report.workers).toMatchObject([{ outcome: 'alive', foreseen: ['uninterruptible'] }])
    expect(report.issues).toEqual([
      `worker still alive: PoolWorker-1, pid=${worker.pid}, in uninterruptible sleep (state D)`,
    ])
    expect((await end([worker], { useSigkill: true, gracePeriodMs: 50 })).issues).toEqual([])
  })

  test('that exits between the capture and the signal is gone, and nobody else is signalled', async () => {
    const worker = await processes.shell('echo ready; exec sleep 1000')
    const report = await end([worker], {
      processes: tableWith({
        signal: async (identity, signal) => {
          await processes.kill(worker, 'SIGKILL')
          await worker.exited
          return table.signal(identity, signal)
        },
      }),
    })
    expect(report.workers).toMatchObject([{ outcome: 'already-gone', sent: [{ signal: 'SIGTERM', outcome: 'gone' }] }])
    expect(report.issues).toEqual([])
  })

  test('that is gone from the start is reported as gone, without a signal', async () => {
    const worker = await processes.shell('echo ready')
    await worker.exited
    const report = await end([worker])
    expect(report.workers).toMatchObject([{ outcome: 'already-gone', sent: [] }])
    expect(ledger.entries()).toEqual([])
  })

  test('that is a zombie of somebody else is reported as such and not waited for', async () => {
    const parent = await processes.python('has-zombie.py')
    const zombie = await until(async () => {
      const below = await table.descendants([parent])
      return below.get(parent.pid)?.find(({ state }) => state === 'zombie')
    }, 'a zombie')
    // Its parent has the same marker, but an ancestor is no descendant.
    const report = await end([{ ...parent, identity: zombie.identity, pid: zombie.identity.pid }], {
      gracePeriodMs: 60_000,
      withoutExited: true,
    })
    expect(report.workers).toMatchObject([{ outcome: 'zombie', foreseen: ['zombie'], sent: [] }])
    expect(report.issues).toEqual([
      `worker is a zombie: PoolWorker-1, pid=${zombie.identity.pid}, dead, but its parent (pid=${parent.pid}) ` +
        'has not collected it',
    ])
    expect(await isRunning(parent.pid)).toBe(true)
  })

  test('of which only a child of ours and no exit notice is known is collected before the report', async () => {
    const worker = await processes.shell(obeys)
    const report = await end([worker], { withoutExited: true })
    expect(report.workers).toMatchObject([{ outcome: 'terminated' }])
    expect(await table.exists(worker.identity)).toBe(false)
  })

  test('that is protected is not touched, and the issue says so', async () => {
    const worker = await processes.shell(obeys)
    const guarded = createProcessTable({ protectedPids: new ProtectedPids([worker.pid]) })
    const report = await end([worker], { processes: guarded, useSigkill: true })
    expect(report.issues).toEqual([
      `worker still alive: PoolWorker-1, pid=${worker.pid}, protected: Unhang never signals it`,
    ])
    expect(await isRunning(worker.pid)).toBe(true)
  })

  test.skipIf(process.getuid?.() !== 0)(
    'that the kernel does not let us signal is denied, and not waited for',
    async () => {
      const worker = await processes.shell(obeys, { uid: 65534 })
      process.seteuid!(65533)
      try {
        const report = await end([worker], { gracePeriodMs: 60_000, useSigkill: true })
        expect(report.workers).toMatchObject([{ outcome: 'denied' }])
        expect(report.issues).toEqual([
          `worker still alive: PoolWorker-1, pid=${worker.pid}, this user may not signal it`,
        ])
      } finally {
        process.seteuid!(0)
      }
    },
  )
})

describe.skipIf(process.platform !== 'linux')('asking', () => {
  test('lets a worker leave by itself, without a signal', async () => {
    const worker = await processes.shell(obeys)
    const report = await shutDown(
      {
        subject: { id: 'pool-1', name: 'Test' },
        gracePeriodMs: 5000,
        useSigkill: false,
        reason: 'test',
        askedBy: 'api',
        targets: [{ ...worker, name: 'PoolWorker-1', ask: () => void processes.kill(worker, 'SIGINT') }],
      },
      { processes: table, ledger, memory },
    )
    expect(report.workers).toMatchObject([{ outcome: 'exited', sent: [] }])
  })

  test('that fails or is not heard goes on to SIGTERM', async () => {
    const workers = [await processes.shell(obeys), await processes.shell(obeys)]
    const ask = [
      () => {
        throw new Error('channel closed')
      },
      () => undefined,
    ]
    const report = await shutDown(
      {
        subject: { id: 'pool-1', name: 'Test' },
        gracePeriodMs: 500,
        useSigkill: false,
        reason: 'test',
        askedBy: 'api',
        targets: workers.map((worker, index) => ({ ...worker, name: `PoolWorker-${index + 1}`, ask: ask[index]! })),
      },
      { processes: table, ledger, memory },
    )
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['terminated', 'terminated'])
    expect(report.workers[0]!.foreseen).toContain('could not be asked: channel closed')
  })
})

describe.skipIf(process.platform !== 'linux')('what a worker leaves behind', () => {
  const childAndGrandchild = 'echo ready; sh -c "setsid sleep 1000 & echo \\$!; wait" & wait'

  test('is ended with it: a child, and a grandchild that has left the process group', async () => {
    const worker = await processes.shell(childAndGrandchild)
    const grandchild = Number(await worker.line())
    const report = await end([worker])
    expect(report.issues).toEqual([])
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['terminated', 'terminated', 'terminated'])
    expect(report.workers.slice(1).every(({ descendantOf }) => descendantOf === 'PoolWorker-1')).toBe(true)
    expect(await isRunning(grandchild)).toBe(false)
  })

  test('gets SIGTERM after the worker, which may want to end it in its own way', async () => {
    const worker = await processes.shell('sleep 1000 & trap "kill -INT $!; exit 0" TERM; echo ready; wait')
    const report = await end([worker])
    // A background child of a shell ignores SIGINT, so only ours can have ended it.
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['terminated', 'terminated'])
    expect(report.workers[1]!.sent[0]!.atMs).toBeGreaterThanOrEqual(report.workers[0]!.endedAfterMs!)
  })

  test('sets free a worker that cannot end before its child has', async () => {
    // A shell runs a trap only once the child in the foreground is gone.
    const worker = await processes.shell('trap "exit 0" TERM; echo ready; sleep 1000; echo not reached')
    await until(
      async () => (await table.descendants([worker])).get(worker.pid)?.some(({ command }) => command === 'sleep'),
      'the child',
    )
    const report = await end([worker], { gracePeriodMs: 1000 })
    expect(report.issues).toEqual([])
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['terminated', 'terminated'])
  })

  test('is killed with it, all at once, also when it is stopped', async () => {
    const worker = await processes.shell(childAndGrandchild)
    const grandchild = (await table.identify(Number(await worker.line())))!
    await table.signal(grandchild, 'SIGSTOP')
    const report = await end([worker], { kill: true })
    expect(report.issues).toEqual([])
    expect(report.workers.map(({ sent }) => sent.map(({ signal }) => signal))).toEqual([
      ['SIGKILL'],
      ['SIGKILL'],
      ['SIGKILL'],
    ])
    expect(await isRunning(grandchild.pid)).toBe(false)
  })

  test('is found by its marker when it was re-parented, even if the worker is long gone', async () => {
    const worker = await processes.shell('echo ready; (setsid sleep 1000 & echo $!)')
    const orphan = Number(await worker.line())
    await worker.exited
    await until(async () => (await table.descendants([worker])).get(worker.pid)!.length === 1, 'the orphan')
    const report = await end([worker])
    expect(report.workers).toMatchObject([
      { outcome: 'already-gone' },
      { pid: orphan, outcome: 'terminated', descendantOf: 'PoolWorker-1' },
    ])
    expect(await isRunning(orphan)).toBe(false)
  })

  test('is found for workers that exited before, which are not reported themselves', async () => {
    const former = await processes.shell('echo ready; (setsid sleep 1000 & echo $!)')
    const orphan = Number(await former.line())
    await former.exited
    await until(async () => (await table.descendants([former])).get(former.pid)!.length === 1, 'the orphan')
    const report = await end([], { formerWorkers: [{ ...former, name: 'PoolWorker-7' }] })
    expect(report.workers).toMatchObject([{ pid: orphan, outcome: 'terminated', descendantOf: 'PoolWorker-7' }])
  })

  test('is named with its command when it stays, and then the pool still exists', async () => {
    const worker = await processes.shell('sh -c "trap \\"\\" TERM; echo ready; exec sleep 1000" & wait')
    const report = await end([worker], { gracePeriodMs: 500 })
    const child = report.workers[1]!
    expect(report.issues).toEqual([
      `child of PoolWorker-1 still alive: pid=${child.pid}, sleep, ignores SIGTERM`,
      'pool still exists: Test (pool-1)',
    ])
    // The worker is gone, its child was re-parented: the second call still sees it.
    const again = await end([], { gracePeriodMs: 50 })
    expect(again.issues).toEqual(report.issues)
    const last = await end([], { kill: true })
    expect(last.issues).toEqual([])
    expect(await isRunning(child.pid)).toBe(false)
  })

  test('is ended too when it was forked during the passes', async () => {
    const worker = await processes.python('forks-when-terminated.py')
    const report = await end([worker], { gracePeriodMs: 100, useSigkill: true })
    const late = Number(await worker.line())
    expect(report.workers.map(({ pid }) => pid)).toContain(late)
    expect(report.issues).toEqual([])
    expect(await isRunning(late)).toBe(false)
  })
})

describe.skipIf(process.platform !== 'linux')('a pool', () => {
  test('of 64 stubborn workers is killed as one', async () => {
    const workers = await Promise.all(Array.from({ length: 64 }, () => processes.shell(ignores)))
    const report = await end(workers, { gracePeriodMs: 100, useSigkill: true })
    expect(report.issues).toEqual([])
    expect(report.workers).toHaveLength(64)
    expect(new Set(report.workers.map(({ outcome }) => outcome))).toEqual(new Set(['killed']))
    expect(workers.every(({ child }) => child.signalCode === 'SIGKILL')).toBe(true)
  })

  test('is ended without touching anybody else, not even siblings in the same process group and session', async () => {
    const worker = await processes.shell('sleep 1000 & echo ready; wait')
    const bystander = await processes.shell('sleep 1000 & echo ready; wait')
    const before = (await table.descendants([bystander])).get(bystander.pid)!.map(({ identity }) => identity.pid)
    const report = await end([worker], { kill: true })
    expect(report.workers).toHaveLength(2)
    expect(await isRunning(bystander.pid)).toBe(true)
    for (const pid of before) expect(await isRunning(pid)).toBe(true)
    expect(
      ledger
        .entries()
        .map(({ identity }) => identity.pid)
        .sort(),
    ).toEqual(report.workers.map(({ pid }) => pid).sort())
  })

  test('stops its refill before anything else, in the same tick', async () => {
    const worker = await processes.shell(obeys)
    let stopped = 0
    const report = end([worker], { stopRefill: () => stopped++ })
    expect(stopped).toBe(1)
    await report
    expect(stopped).toBe(1)
  })

  test('without workers is shut down without an issue', async () => {
    expect(await end([])).toMatchObject({ workers: [], issues: [] })
  })

  test('can be shut down twice, and the second time says that all are gone', async () => {
    const workers = [await processes.shell(obeys), await processes.shell(obeys)]
    await end(workers)
    const again = await end(workers)
    expect(again.workers.map(({ outcome, sent }) => ({ outcome, sent }))).toEqual([
      { outcome: 'already-gone', sent: [] },
      { outcome: 'already-gone', sent: [] },
    ])
    expect(again.issues).toEqual([])
  })

  test('can be shut down twice at once: each worker gets one SIGTERM', async () => {
    const worker = await processes.shell(obeys)
    const reports = await Promise.all([end([worker]), end([worker])])
    expect(reports.map(({ workers: [first] }) => first!.outcome)).toEqual(['terminated', 'terminated'])
    expect(ledger.entriesFor(worker.identity).map(({ signal }) => signal)).toEqual(['SIGTERM'])
  })

  test('can be killed while it is being terminated, and both reports say killed', async () => {
    const worker = await processes.shell(ignores)
    const terminating = end([worker], { gracePeriodMs: 60_000 })
    await until(() => ledger.entriesFor(worker.identity).length === 1, 'SIGTERM')
    const killing = end([worker], { kill: true })
    expect((await killing).workers).toMatchObject([{ outcome: 'killed' }])
    expect((await terminating).workers).toMatchObject([{ outcome: 'killed' }])
  })

  test('is not waited for longer than the exit notice of its workers takes', async () => {
    const worker = await processes.shell(obeys)
    const report = await end([worker])
    expect(worker.child.exitCode ?? worker.child.signalCode).toBe('SIGTERM')
    expect(report.workers[0]!.endedAfterMs).toBeLessThanOrEqual(report.durationMs)
  })
})

describe.skipIf(process.platform !== 'linux')('a term sequence', () => {
  test('replaces the passes and ends when the worker does', async () => {
    const worker = await processes.shell('trap "exit 0" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done')
    const report = await end([worker], {
      termSequence: [
        { signal: 'SIGTERM', waitMs: 60_000 },
        { signal: 'SIGUSR1', waitMs: 5000 },
        { signal: 'SIGKILL', waitMs: 5000 },
      ],
    })
    expect(signalsOf(report)).toEqual(['SIGTERM', 'SIGUSR1'])
    expect(report.workers[0]).toMatchObject({ outcome: 'terminated', foreseen: ['ignores SIGTERM'] })
  })

  test('sends the same signal again where it is told to', async () => {
    const worker = await processes.python('catches-sigterm.py')
    const report = await end([worker], {
      termSequence: [
        { signal: 'SIGTERM', waitMs: 20 },
        { signal: 'SIGTERM', waitMs: 20 },
        { signal: 'SIGKILL', waitMs: 5000 },
      ],
    })
    expect(signalsOf(report)).toEqual(['SIGTERM', 'SIGTERM', 'SIGKILL'])
    expect(report.workers[0]!.outcome).toBe('killed')
  })
})

describe.skipIf(process.platform !== 'linux')('the kill ledger', () => {
  test('tells our signals from others', async () => {
    const [ours, external, normal, crashed] = [
      await processes.shell(obeys),
      await processes.shell(obeys),
      await processes.shell('echo ready; exit 0'),
      await processes.shell('echo ready; kill -SEGV $$'),
    ]
    await end([ours], { kill: true, reason: 'stuck for 30 s', askedBy: 'user' })
    await processes.kill(external, 'SIGKILL')
    await Promise.all([external.exited, normal.exited, crashed.exited])
    const causes = [ours, external, normal, crashed].map(({ child, identity }) =>
      explainExit({ exitCode: child.exitCode, signal: child.signalCode }, ledger.entriesFor(identity)),
    )
    expect(causes.map(({ kind }) => kind)).toEqual(['ours', 'external', 'normal', 'crash'])
    expect(causes[0]!.text).toMatch(/^exit -9 \(SIGKILL\), sent by us at .*: stuck for 30 s \(asked by user\)$/)
    expect(causes[1]!.text).toBe('exit -9 (SIGKILL), not sent by Unhang')
  })
})
