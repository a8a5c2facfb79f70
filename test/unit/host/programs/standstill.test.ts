import { describe, expect, it } from 'vitest'
import type { ParentView } from '../../../../src/host/programs/members/parentView'
import { Standstill } from '../../../../src/host/programs/members/standstill'
import type { StackThread } from '../../../../src/host/programs/members/stackThread'
import type { SignalMasks } from '../../../../src/processes'
import { lockWait, wait } from '../../diagnosis/watchedPools/facts'

function masks(...caught: NodeJS.Signals[]): SignalMasks {
  return {
    ignored: new Set(['SIGPIPE']),
    caught: new Set(caught),
    blocked: new Set(),
    pending: new Set(),
    caughtNumbers: new Set([2, 45]),
  }
}

/** One that waits for a lock since 1000, with Python's own handler of SIGINT. */
function waiting(): Standstill {
  const standstill = new Standstill()
  standstill.observe(1000, lockWait())
  standstill.noteSignals(masks('SIGINT', 'SIGSEGV'))
  return standstill
}

function thread(current: boolean, ...frames: readonly [file: string, name: string][]): StackThread {
  return { id: '0x1', current, frames: frames.map(([file, name]) => ({ file, line: 1, function: name })) }
}

const main = thread(true, ['/w/train.py', 'run'])
const feeder = thread(
  false,
  ['/usr/lib/python3.11/threading.py', 'wait'],
  ['/usr/lib/python3.11/multiprocessing/queues.py', 'Queue._feed'],
)

describe('how long a process stands still', () => {
  it('is counted from the first look that saw it wait there', () => {
    const standstill = waiting()
    expect(standstill.observe(2000, lockWait())).toBe(false)
    expect(standstill.forMs(3500, 1)).toBe(2500)
  })
  it('begins anew when it has run in between, although it is back', () => {
    const standstill = new Standstill()
    expect(standstill.observe(1000, lockWait(), { switches: 7, threads: 1 })).toBe(true)
    expect([standstill.waitsMs, standstill.aloneMs]).toEqual([0, 0])
    expect(standstill.observe(2000, lockWait(), { switches: 7, threads: 1 })).toBe(false)
    expect([standstill.waitsMs, standstill.aloneMs]).toEqual([1000, 1000])
    expect(standstill.observe(3000, lockWait(), { switches: 9, threads: 1 })).toBe(true)
    expect([standstill.waitsMs, standstill.aloneMs]).toEqual([0, 0])
  })
  it('is alone only from the look on that sees no other thread: the last one may just have woken it', () => {
    const standstill = new Standstill()
    for (const [at, threads] of [
      [1000, 2],
      [2000, 2],
      [3000, 1],
    ] as const)
      standstill.observe(at, lockWait(), { switches: 7, threads })
    expect([standstill.waitsMs, standstill.aloneMs]).toEqual([2000, 0])
    standstill.observe(4000, lockWait(), { switches: 7, threads: 1 })
    expect(standstill.aloneMs).toBe(1000)
    standstill.observe(5000, lockWait(), { switches: 7, threads: 2 })
    expect(standstill.aloneMs).toBe(0)
  })
  it('is stopped from the first look that saw that, unless it was continued in between', () => {
    const standstill = new Standstill()
    for (const [at, switches] of [
      [1000, 7],
      [2000, 7],
      [3000, 9],
    ] as const)
      standstill.observeState(at, true, standstill.observe(at, lockWait(), { switches, threads: 1 }))
    expect(standstill.stoppedMs).toBe(0)
    standstill.observeState(4000, true, standstill.observe(4000, lockWait(), { switches: 9, threads: 1 }))
    expect(standstill.stoppedMs).toBe(1000)
    standstill.observeState(5000, false, standstill.observe(5000, lockWait(), { switches: 9, threads: 1 }))
    expect(standstill.stoppedMs).toBe(0)
  })
  it('goes on when it has only written its stacks for us', () => {
    const standstill = new Standstill()
    standstill.observe(1000, lockWait(), { switches: 7, threads: 1 })
    standstill.excuse(7, 9)
    expect(standstill.observe(2000, lockWait(), { switches: 9, threads: 1 })).toBe(false)
    // It had moved before it was asked.
    standstill.excuse(10, 12)
    expect(standstill.observe(3000, lockWait(), { switches: 12, threads: 1 })).toBe(true)
  })
  it('begins anew in another place, and is over when it moves', () => {
    const standstill = waiting()
    expect(standstill.observe(2000, lockWait('0x2'))).toBe(true)
    expect(standstill.forMs(3000, 1)).toBe(1000)
    expect(standstill.observe(3000, null)).toBe(true)
    expect(standstill.forMs(4000, 1)).toBe(0)
    standstill.observe(4000, wait('pipe-read', { target: 'pipe:[1]' }))
    expect(standstill.observe(5000, wait('pipe-read', { target: 'pipe:[2]' }))).toBe(true)
  })
  it('is nothing while a signal handler of the program may do something, or while nobody knows', () => {
    const standstill = waiting()
    standstill.noteSignals(masks('SIGINT', 'SIGALRM'))
    expect(standstill.forMs(3000, 1)).toBe(0)
    const unknown = new Standstill()
    unknown.observe(1000, lockWait())
    expect(unknown.forMs(3000, 1)).toBe(0)
  })
  it('is nothing while other threads may do something, apart from those that send what a queue was given', () => {
    const standstill = waiting()
    expect(standstill.forMs(3000, 2)).toBe(0)
    expect(standstill.forMs(3000, null)).toBe(0)
    standstill.noteThreads([main, feeder])
    expect(standstill.forMs(3000, 2)).toBe(2000)
    standstill.noteThreads([main, feeder, thread(false, ['/usr/lib/python3.11/threading.py', 'run'])])
    expect(standstill.forMs(3000, 3)).toBe(0)
  })
  it('asks for the threads again in another place', () => {
    const standstill = waiting()
    standstill.noteThreads([main, feeder])
    standstill.observe(2000, lockWait('0x2'))
    expect(standstill.forMs(3000, 2)).toBe(0)
  })
  it('has its stacks taken three times at most, wherever it waits', () => {
    const standstill = waiting()
    expect([1, 2, 3, 4].map(() => standstill.mayAskAgain())).toEqual([true, true, false, false])
    standstill.observe(2000, lockWait('0x2'))
    expect(standstill.mayAskAgain()).toBe(true)
  })
  it('goes by the names of the threads where an observer tells them', () => {
    const view = (answers: boolean, ...names: string[]): ParentView =>
      ({
        answers,
        observed: { threads: names.map((name, id) => ({ id, name, daemon: false })) },
      }) as unknown as ParentView
    expect(waiting().forMsOfParent(3000, view(true, 'MainThread', 'QueueFeederThread'))).toBe(2000)
    expect(waiting().forMsOfParent(3000, view(true, 'MainThread', 'Thread-1'))).toBe(0)
    expect(waiting().forMsOfParent(3000, view(false, 'MainThread'))).toBe(0)
  })
  it('is nothing of a program with a handler of its own for Ctrl-C', () => {
    const view = (ownSigint: boolean): ParentView =>
      ({
        answers: true,
        observed: { ownSigint, threads: [{ id: 1, name: 'MainThread', daemon: false }] },
      }) as unknown as ParentView
    expect(waiting().forMsOfParent(3000, view(false))).toBe(2000)
    expect(waiting().forMsOfParent(3000, view(true))).toBe(0)
  })
})
