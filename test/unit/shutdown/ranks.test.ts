import { beforeEach, describe, expect, test } from 'vitest'
import { KillLedger, ShutdownMemory, shutDown, type ShutdownReport, type ShutdownRequest } from '../../../src/shutdown'
import { FakeProcessTable } from './fake-process-table'

/** A program (10) with two workers (11, 12), a worker's child (13) and a resource tracker (14). */
const ranks = new Map<number, 0 | 1 | 2>([[10, 1], [11, 0], [12, 0], [14, 2]])

let table = new FakeProcessTable()
beforeEach(() => { table = new FakeProcessTable() })

function end(request: Partial<ShutdownRequest> = {}): Promise<ShutdownReport> {
  const targets = [...ranks].map(([pid, rank]) => ({ identity: { pid, startTime: `boot-${pid}` }, name: `process ${pid}`, rank }))
  return shutDown(
    { subject: { id: 'program-1', name: 'train.py' }, targets, gracePeriodMs: 20, useSigkill: false, reason: 'test', askedBy: 'api', ...request },
    { processes: table, ledger: new KillLedger(), memory: new ShutdownMemory() },
  )
}

const order = (): number[] => table.signals.map(({ pid }) => pid)

describe('a shutdown with ranks', () => {
  test('ends workers first, then the program, then what descends from it, and the rest last', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 11, parentPid: 10 })
    table.add({ pid: 12, parentPid: 10 })
    table.add({ pid: 13, parentPid: 10 })
    table.add({ pid: 14, parentPid: 10 })
    // As a fake process keeps its children, this one is found although its parent is gone.
    table.processes.get(10)!.onSignal = () => { table.processes.get(10)!.state = 'zombie' }
    const report = await end()
    expect(order()).toEqual([11, 12, 10, 13, 14])
    expect(report.workers.find(({ pid }) => pid === 14)?.outcome).toBe('terminated')
  })

  test('finds who was started in the place of a worker before the program is gone', async () => {
    // Its parent is init from then on, so that nothing tells whose it was.
    table.add({ pid: 10, onSignal: () => { table.processes.delete(10); for (const process of table.processes.values()) process.parentPid = 1 } })
    table.add({ pid: 11, parentPid: 10, onSignal: () => { table.processes.delete(11); table.add({ pid: 15, parentPid: 10 }) } })
    const report = await end()
    expect(order()).toEqual([11, 10, 15])
    expect(report.issues).toEqual([])
  })

  test('sends nothing to a helper that leaves by itself once the program is gone', async () => {
    table.add({ pid: 10, onSignal: () => { table.processes.delete(10); table.processes.delete(14) } })
    table.add({ pid: 11, parentPid: 10 })
    table.add({ pid: 14, parentPid: 10 })
    const report = await end()
    expect(order()).toEqual([11, 10])
    expect(report.workers.find(({ pid }) => pid === 14)).toMatchObject({ sent: [], outcome: 'exited' })
    expect(report.issues).toEqual([])
  })

  test('waits for stubborn workers before it turns to their program', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 11, caught: ['SIGTERM'], parentPid: 10 })
    const report = await end()
    expect(order()).toEqual([11, 10, 14].filter((pid) => pid !== 14))
    expect(report.issues).toEqual([expect.stringContaining('worker still alive: process 11, pid=11')])
  })

  test('kills workers and program at once, and helpers after them', async () => {
    table.add({ pid: 10 })
    table.add({ pid: 11, parentPid: 10 })
    table.add({ pid: 14, parentPid: 10 })
    const report = await end({ kill: true })
    expect(order().slice(0, 2).sort()).toEqual([10, 11])
    expect(order()[2]).toBe(14)
    expect(report.issues).toEqual([])
  })

  test('leaves the helpers alone while what they clean up after cannot be ended', async () => {
    table.add({ pid: 10, outcome: 'denied' })
    table.add({ pid: 14, parentPid: 10 })
    const report = await end({ kill: true })
    expect(order()).toEqual([14])
    expect(report.workers.find(({ pid }) => pid === 10)?.outcome).toBe('denied')
  })
})
