import { beforeEach, describe, expect, test } from 'vitest'
import { KillLedger, ShutdownHistory, shutDown, type ShutdownReport, type ShutdownRequest } from '../../../src/shutdown'
import { FakeProcessTable } from './fakeProcessTable'

let table = new FakeProcessTable()
let ledger = new KillLedger()
let memory = new ShutdownHistory()

beforeEach(() => {
  table = new FakeProcessTable()
  ledger = new KillLedger()
  memory = new ShutdownHistory()
})

function end(pids: readonly number[], request: Partial<ShutdownRequest> = {}): Promise<ShutdownReport> {
  const targets = pids.map((pid, index) => ({
    identity: { pid, startTime: `boot-${pid}` },
    name: `PoolWorker-${index + 1}`,
  }))
  return shutDown(
    {
      subject: { id: 'pool-1', name: 'Test' },
      targets,
      gracePeriodMs: 20,
      useSigkill: false,
      reason: 'test',
      askedBy: 'api',
      ...request,
    },
    { processes: table, ledger, memory },
  )
}

describe('the shutdown core', () => {
  test('does not touch a process that has the pid of a worker that is gone', async () => {
    table.add({ pid: 10, start: 999 })
    const report = await end([10], { useSigkill: true })
    expect(report.workers).toMatchObject([{ outcome: 'already-gone', sent: [] }])
    expect(table.signals).toEqual([])
  })

  test(
    'does not touch a process that took the pid between the capture and the signal, nor ' + 'between two signals',
    async () => {
      table.add({ pid: 10, caught: ['SIGTERM'], onSignal: () => table.add({ pid: 10, start: 999 }) })
      const report = await end([10], { useSigkill: true })
      expect(report.workers).toMatchObject([{ outcome: 'terminated' }])
      expect(table.signals).toEqual([{ pid: 10, signal: 'SIGTERM' }])
      expect(table.processes.get(10)?.start).toBe(999)
    },
  )

  test('writes a signal that met a reused pid into the report and the ledger', async () => {
    table.add({ pid: 10, outcome: 'reused' })
    const report = await end([10])
    expect(report.workers).toMatchObject([
      { outcome: 'already-gone', sent: [{ signal: 'SIGTERM', outcome: 'reused' }] },
    ])
    expect(ledger.entries()).toMatchObject([
      { signal: 'SIGTERM', outcome: 'reused', name: 'PoolWorker-1', subjectId: 'pool-1' },
    ])
  })

  test('ends the workers it knows when their descendants cannot be looked for, and says so', async () => {
    table.add({ pid: 10 })
    table.descendants = () => Promise.reject(new Error('EMFILE: too many open files'))
    const report = await end([10])
    expect(report.workers).toMatchObject([{ outcome: 'terminated' }])
    expect(report.issues).toEqual(['descendants could not be looked for: EMFILE: too many open files'])
  })

  test(
    'calls a worker unkillable that hangs in the kernel with SIGKILL pending, and does ' + 'not wait for it',
    async () => {
      table.add({ pid: 10, state: 'uninterruptible' })
      const report = await end([10], { kill: true, gracePeriodMs: 60_000 })
      expect(report.workers).toMatchObject([{ outcome: 'unkillable', foreseen: ['uninterruptible'] }])
      expect(report.issues).toEqual([
        'worker still alive: PoolWorker-1, pid=10, in uninterruptible sleep (state D) with SIGKILL pending: ' +
          'nothing more can be done from here',
      ])
    },
  )

  test('waits for a worker that was in the kernel for a moment only', async () => {
    table.add({ pid: 10, state: 'uninterruptible' })
    let looks = 0
    table.beforeLook = () => {
      if (++looks === 4) table.processes.delete(10)
    }
    expect((await end([10], { gracePeriodMs: 5000 })).workers).toMatchObject([{ outcome: 'terminated' }])
  })

  test('ends the others when one is denied, protected or unkillable', async () => {
    table.add({ pid: 10, outcome: 'denied' })
    table.add({ pid: 20, outcome: 'protected' })
    table.add({ pid: 30, state: 'uninterruptible' })
    table.add({ pid: 40, ignored: ['SIGTERM'] })
    const report = await end([10, 20, 30, 40], { useSigkill: true })
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['denied', 'alive', 'unkillable', 'killed'])
    expect(report.issues).toHaveLength(3)
  })

  test('kills the children that a worker forks as fast as it can, as long as its pass lasts', async () => {
    let next = 100
    const fork = (): void => {
      if (next < 120) table.add({ pid: next++, parentPid: 10 })
    }
    // Forks once more after it was killed, as a process does that was in the middle of it.
    table.add({ pid: 10, onSignal: () => (table.processes.get(10)!.state = 'zombie') })
    table.beforeLook = fork
    const report = await end([10], { kill: true })
    expect(report.issues).toEqual([])
    expect([...table.processes.values()].filter(({ state }) => state !== 'zombie')).toEqual([])
  })

  test('ends a pass of a thousand workers with a pass over the process table each, and not a thousand', async () => {
    for (let pid = 1000; pid < 2000; pid++) table.add({ pid, ignored: ['SIGTERM'] })
    const pids = [...table.processes.keys()]
    const report = await end(pids, { useSigkill: true })
    expect(report.issues).toEqual([])
    expect(table.passes).toBeLessThanOrEqual(4)
    expect(table.looks / 1000).toBeLessThanOrEqual(10)
  })

  test('takes a worker that is named twice, or descends from another, for one', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 11, parentPid: 10 })
    const report = await end([10, 10, 11])
    expect(report.workers.map(({ pid }) => pid)).toEqual([10, 11])
    expect(report.workers.every(({ descendantOf }) => descendantOf === undefined)).toBe(true)
  })

  test.each([
    [{ gracePeriodMs: -1 }, /gracePeriodMs must be 0 or more/],
    [{ gracePeriodMs: Number.NaN }, /gracePeriodMs must be 0 or more/],
    [{ termSequence: [{ signal: 'SIGTERM', waitMs: -5 }] }, /waitMs of a step of termSequence/],
    [{ termSequence: [{ signal: 'SIGNONSENSE', waitMs: 5 }] }, /SIGNONSENSE, which is no signal/],
  ] as unknown as [Partial<ShutdownRequest>, RegExp][])(
    'refuses a request that makes no sense before anything is done: %j',
    async (request, message) => {
      table.add({ pid: 10 })
      let stopped = false
      await expect(end([10], { ...request, stopRefill: () => (stopped = true) })).rejects.toThrow(message)
      expect(stopped).toBe(false)
      expect(table.signals).toEqual([])
    },
  )

  test('works with a grace period of 0', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 20, caught: ['SIGTERM'] })
    const report = await end([10, 20], { gracePeriodMs: 0, useSigkill: true })
    expect(report.workers.map(({ outcome }) => outcome)).toEqual(['terminated', 'killed'])
  })

  test('says nothing of the pool when only a worker was shut down', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 11, parentPid: 10, ignored: ['SIGTERM'] })
    const report = await end([10], { subject: { id: 'PoolWorker-1', name: 'PoolWorker-1', kind: 'worker' } })
    expect(report.issues).toEqual(['child of PoolWorker-1 still alive: pid=11, fake, ignores SIGTERM'])
  })

  test('stops naming a survivor once it is gone', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 11, parentPid: 10, ignored: ['SIGTERM'] })
    await end([10])
    table.processes.delete(11)
    expect((await end([])).issues).toEqual([])
    expect((await end([])).workers).toEqual([])
  })
})
