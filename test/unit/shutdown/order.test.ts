import { beforeEach, describe, expect, test } from 'vitest'
import type { ProcessIdentity } from '../../../src/processes'
import {
  KillLedger,
  planShutdown,
  ShutdownHistory,
  shutDown,
  type ShutdownReport,
  type ShutdownRequest,
  type ShutdownTarget,
} from '../../../src/shutdown'
import { FakeProcessTable } from './fakeProcessTable'

let table = new FakeProcessTable()
beforeEach(() => {
  table = new FakeProcessTable()
})

const identityOf = (pid: number) => ({ pid, startTime: `boot-${pid}` })

/** A program (10) with two workers (11, 12) and a resource tracker (14). */
const program: readonly Partial<ShutdownTarget>[] = [{}, {}, {}, { helper: true }]
const targets: ShutdownTarget[] = [10, 11, 12, 14].map((pid, index) => ({
  identity: identityOf(pid),
  name: `process ${pid}`,
  ...program[index],
  ...(pid === 10 ? {} : { below: identityOf(10) }),
}))

function request(changes: Partial<ShutdownRequest> = {}): ShutdownRequest {
  return {
    subject: { id: 'program-1', name: 'train.py' },
    targets,
    gracePeriodMs: 20,
    useSigkill: false,
    reason: 'test',
    askedBy: 'api',
    ...changes,
  }
}

function end(changes: Partial<ShutdownRequest> = {}): Promise<ShutdownReport> {
  return shutDown(request(changes), { processes: table, ledger: new KillLedger(), memory: new ShutdownHistory() })
}

/** Ends as a process does: its children have another parent from then on. */
function goes(pid: number): () => void {
  return () => {
    table.processes.delete(pid)
    for (const process of table.processes.values()) if (process.parentPid === pid) process.parentPid = 1
  }
}

const order = (): number[] => table.signals.map(({ pid }) => pid)
const sent = (): string[] => table.signals.map(({ pid, signal }) => `${pid} ${signal}`)

describe('the order of a shutdown', () => {
  test('is parents before children, level by level, and helpers last', async () => {
    table.add({ pid: 10, onSignal: goes(10) })
    table.add({ pid: 11, parentPid: 10, onSignal: goes(11) })
    table.add({ pid: 12, parentPid: 10 })
    table.add({ pid: 13, parentPid: 11 })
    table.add({ pid: 14, parentPid: 10 })
    const report = await end()
    expect(order()).toEqual([10, 11, 12, 13, 14])
    expect(report.issues).toEqual([])
    expect(report.workers.flatMap((worker) => worker.sent.map((signal) => [worker.pid, signal.order]))).toEqual([
      [10, 1],
      [11, 2],
      [12, 3],
      [14, 5],
      [13, 4],
    ])
  }, 10_000)

  test('waits with the children until their parent has ended', async () => {
    let looks = 0
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 10 })
    table.beforeLook = () => {
      if (table.signals.length === 1 && ++looks === 6) goes(10)()
    }
    const report = await end({ gracePeriodMs: 5000 })
    expect(order()).toEqual([10, 11])
    expect(report.issues).toEqual([])
  })

  test('sends nothing to what is below a parent that goes on after SIGTERM, and says for whose sake', async () => {
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 10 })
    table.add({ pid: 13, parentPid: 11 })
    const report = await end()
    expect(sent()).toEqual(['10 SIGTERM'])
    expect(report.issues).toEqual([
      'worker still alive: process 10, pid=10, catches SIGTERM and goes on',
      'child of process 10 still alive: pid=13, fake, got no signal, as process 10 (pid=10) is still there and ' +
        'would go on with its next line',
      'worker still alive: process 11, pid=11, got no signal, as process 10 (pid=10) is still there and would go ' +
        'on with its next line',
    ])
    const held = { name: 'process 10', pid: 10 }
    expect(report.workers.filter(({ heldBackBy }) => heldBackBy !== undefined)).toMatchObject([
      { pid: 11, heldBackBy: held },
      { pid: 13, heldBackBy: held },
    ])
  })

  test(
    'kills a parent that ignores SIGTERM before its children get theirs, which have their ' + 'own grace period',
    async () => {
      table.add({
        pid: 10,
        ignored: ['SIGTERM'],
        onSignal: (signal) => {
          if (signal === 'SIGKILL') goes(10)()
        },
      })
      table.add({ pid: 11, parentPid: 10, caught: ['SIGTERM'] })
      const report = await end({ useSigkill: true, gracePeriodMs: 60 })
      expect(sent()).toEqual(['10 SIGTERM', '10 SIGKILL', '11 SIGTERM', '11 SIGKILL'])
      const [sigterm, sigkill] = report.workers.find(({ pid }) => pid === 11)!.sent
      expect(sigkill!.atMs - sigterm!.atMs).toBeGreaterThanOrEqual(59)
    },
  )

  test('is the same for kill, all of it in one go', async () => {
    table.add({ pid: 10, onSignal: goes(10) })
    table.add({ pid: 11, parentPid: 10, onSignal: goes(11) })
    table.add({ pid: 13, parentPid: 11 })
    const report = await end({ kill: true, targets: [...targets].reverse() })
    expect(sent()).toEqual(['10 SIGKILL', '11 SIGKILL', '13 SIGKILL'])
    expect(report.issues).toEqual([])
  })

  test('holds for a child whose parent is gone: its program ends first', async () => {
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 1 })
    await end()
    expect(order()).toEqual([10])
  })

  test('lets one branch go on while another has its grace period', async () => {
    table.add({ pid: 20, caught: ['SIGTERM'] })
    table.add({ pid: 21, parentPid: 20 })
    table.add({ pid: 30, onSignal: goes(30) })
    table.add({ pid: 31, parentPid: 30 })
    const separate = [20, 21, 30, 31].map((pid) => ({ identity: identityOf(pid), name: `process ${pid}` }))
    const report = await end({ targets: separate, gracePeriodMs: 400 })
    expect(order()).toEqual([20, 30, 31])
    expect(report.workers.find(({ pid }) => pid === 31)!.endedAfterMs).toBeLessThan(400)
  })

  test('gives a parent that handles the last signal the time of its children, too', async () => {
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 10 })
    const started = performance.now()
    table.beforeLook = () => {
      if (table.signals.length === 1 && performance.now() - started > 130) goes(10)()
    }
    const report = await end({ gracePeriodMs: 100 })
    expect(order()).toEqual([10, 11])
    expect(report.issues).toEqual([])
  })

  test('waits for a parent that hangs in the kernel for a while, for the sake of its children', async () => {
    table.add({ pid: 10, state: 'uninterruptible' })
    table.add({ pid: 11, parentPid: 10 })
    let looks = 0
    // More than enough of them to be taken for one that hangs.
    table.beforeLook = () => {
      if (table.signals.length === 1 && ++looks === 40) goes(10)()
    }
    const report = await end({ gracePeriodMs: 10_000 })
    expect(order()).toEqual([10, 11])
    expect(report.issues).toEqual([])
  })

  test.each([false, true])(
    'lets a shell run the trap that leaves, once the command in its foreground has ended (useSigkill: %s)',
    async (useSigkill) => {
      table.add({ pid: 10, caught: ['SIGTERM'] })
      table.add({
        pid: 11,
        parentPid: 10,
        onSignal: () => {
          goes(11)()
          goes(10)()
        },
      })
      table.commandLine = (({ pid }: ProcessIdentity) =>
        Promise.resolve(
          pid === 10 ? ['bash', '-c', 'trap "exit 1" TERM; sleep 1000; touch marker'] : undefined,
        )) as unknown as typeof table.commandLine
      const report = await end({ useSigkill, gracePeriodMs: 40 })
      expect(sent()).toEqual(['10 SIGTERM', '11 SIGTERM'])
      expect(report.issues).toEqual([])
    },
  )

  test('ends what was held back once the process that took so long has ended, and signals nobody twice', async () => {
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 10 })
    table.add({ pid: 20, caught: ['SIGTERM'] })
    table.add({ pid: 21, parentPid: 20 })
    const later = new Promise<ShutdownReport>((resolve) => {
      const separate = [10, 11, 20, 21].map((pid) => ({ identity: identityOf(pid), name: `process ${pid}` }))
      void end({ targets: separate, endedLater: resolve }).then((report) => {
        expect(report.issues).toHaveLength(4)
        goes(10)()
      })
    })
    const report = await later
    expect(sent()).toEqual(['10 SIGTERM', '20 SIGTERM', '11 SIGTERM'])
    expect(report.workers.find(({ pid }) => pid === 11)).toMatchObject({ outcome: 'terminated' })
    goes(20)()
  })

  test('takes the fork server for no parent: what it has forked is below the program', async () => {
    table.add({
      pid: 10,
      onSignal: () => {
        goes(10)()
        table.processes.get(11)!.parentPid = 14
      },
    })
    table.add({ pid: 14, parentPid: 10 })
    table.add({ pid: 11, parentPid: 14 })
    const report = await end()
    expect(order().slice(0, 2)).toEqual([10, 11])
    expect(report.issues).toEqual([])
  }, 10_000)

  test('finds what was started while the program had its grace period', async () => {
    let started = false
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.beforeLook = () => {
      if (table.signals.length === 0) return
      if (!started) table.add({ pid: 15, parentPid: 10 })
      else goes(10)()
      started = true
    }
    table.descendants = ((descendants) => async (roots) => {
      const below = await descendants(roots)
      // By its mark in the environment.
      const late = table.processes.get(15)
      if (late?.parentPid === 1) below.set(10, await table.list())
      return below
    })(table.descendants.bind(table))
    const marked = targets.map((target) =>
      target.identity.pid === 10 ? { ...target, marker: 'program-1/main' } : target,
    )
    const report = await end({ targets: marked, gracePeriodMs: 2000 })
    expect(order()).toEqual([10, 15])
    expect(report.issues).toEqual([])
  })

  test('sends nothing to a helper that leaves by itself once the program is gone', async () => {
    table.add({
      pid: 10,
      onSignal: () => {
        goes(10)()
        table.processes.delete(14)
      },
    })
    table.add({ pid: 14, parentPid: 10 })
    const report = await end()
    expect(order()).toEqual([10])
    expect(report.workers.find(({ pid }) => pid === 14)).toMatchObject({ sent: [], outcome: 'exited' })
    expect(report.issues).toEqual([])
  })

  test('leaves the helpers alone while what they clean up after cannot be ended', async () => {
    table.add({ pid: 10, outcome: 'denied' })
    table.add({ pid: 14, parentPid: 10 })
    const report = await end({ kill: true })
    expect(order()).toEqual([])
    expect(report.workers.find(({ pid }) => pid === 10)?.outcome).toBe('denied')
  })

  test('does not continue a stopped program that ignores SIGTERM: it would only run on', async () => {
    table.add({ pid: 10, state: 'stopped', ignored: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 10 })
    await end()
    expect(sent()).toEqual(['10 SIGTERM'])
  })
})

describe('the plan of a shutdown', () => {
  test('names each process with its step, its signals and what is known of its answer, and sends nothing', async () => {
    table.add({ pid: 10, caught: ['SIGTERM'] })
    table.add({ pid: 11, parentPid: 10, ignored: ['SIGTERM'] })
    table.add({ pid: 12, parentPid: 10, state: 'stopped' })
    table.add({ pid: 13, parentPid: 11 })
    table.add({ pid: 14, parentPid: 10 })
    const plan = await planShutdown(request({ useSigkill: true }), { processes: table, memory: new ShutdownHistory() })
    expect(table.signals).toEqual([])
    const signals = ['SIGTERM', 'SIGKILL']
    expect(plan.processes).toEqual([
      {
        step: 1,
        name: 'process 10',
        pid: 10,
        command: 'fake',
        after: null,
        asked: false,
        signals,
        answer: 'handles SIGTERM, and has 20 ms for that; then SIGKILL follows',
      },
      {
        step: 2,
        name: 'process 11',
        pid: 11,
        command: 'fake',
        after: { name: 'process 10', pid: 10 },
        asked: false,
        signals,
        answer: 'ignores SIGTERM: SIGKILL follows',
      },
      {
        step: 2,
        name: 'process 12',
        pid: 12,
        command: 'fake',
        after: { name: 'process 10', pid: 10 },
        asked: false,
        signals,
        answer: 'is stopped, and is continued so that the signal arrives; ends at SIGTERM',
      },
      {
        step: 3,
        name: 'child of process 10',
        pid: 13,
        command: 'fake',
        descendantOf: 'process 10',
        after: { name: 'process 11', pid: 11 },
        asked: false,
        signals,
        answer: 'ends at SIGTERM',
      },
      {
        step: 4,
        name: 'process 14',
        pid: 14,
        command: 'fake',
        after: { name: 'process 10', pid: 10 },
        asked: false,
        signals,
        answer: 'leaves by itself once the program is gone, and is signalled only if it does not',
      },
    ])
  })

  test('of a kill is SIGKILL for all of it, at once', async () => {
    table.add({ pid: 10, ignored: ['SIGTERM'] })
    const plan = await planShutdown(request({ kill: true }), { processes: table, memory: new ShutdownHistory() })
    expect(plan.processes).toMatchObject([{ signals: ['SIGKILL'], answer: 'ends at once' }])
  })
})
