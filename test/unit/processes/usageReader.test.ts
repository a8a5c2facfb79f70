import { describe, expect, test, vi } from 'vitest'
import { createUsageReader, mostInBatch } from '../../../src/processes/usageReader'
import type { PidusageReading } from '../../../src/processes/pidusageReader'
import type { ProcessIdentity, ProcessUsage } from '../../../src/processes'

const identityOf = (pid: number, startTime = 'now'): ProcessIdentity => ({ pid, startTime })
const readingOf = (pid: number): PidusageReading => ({ cpuTimeMs: pid * 10, memoryBytes: pid, startedAtMs: 0 })
const identities = [1, 2, 3].map((pid) => identityOf(pid))

/** Processes that live, and a batch that reads all pids but those given. */
function setUp({ alive = identities, unread = [] as readonly number[] } = {}) {
  const batches: number[][] = []
  const own: number[][] = []
  const table = {
    exists: (one: ProcessIdentity) =>
      Promise.resolve(alive.some(({ pid, startTime }) => pid === one.pid && startTime === one.startTime)),
    usage: (asked: readonly ProcessIdentity[]) => {
      own.push(asked.map(({ pid }) => pid))
      return Promise.resolve(
        new Map<number, ProcessUsage>(
          asked
            .filter((one) => alive.some(({ pid, startTime }) => pid === one.pid && startTime === one.startTime))
            .map((identity) => [identity.pid, { identity, cpuTimeMs: -1, memoryBytes: -1 }]),
        ),
      )
    },
  }
  const readBatch = vi.fn((pids: readonly number[]) => {
    batches.push([...pids])
    return Promise.resolve(new Map(pids.filter((pid) => !unread.includes(pid)).map((pid) => [pid, readingOf(pid)])))
  })
  return { batches, own, readBatch, read: createUsageReader(table, { platform: 'linux', readBatch }) }
}

describe('the usage of processes that somebody looks at', () => {
  test('is read by pidusage in one batch', async () => {
    const { read, batches, own } = setUp()
    expect(await read(identities)).toEqual(
      new Map(
        identities.map((identity) => [
          identity.pid,
          { identity, cpuTimeMs: identity.pid * 10, memoryBytes: identity.pid },
        ]),
      ),
    )
    expect(batches).toEqual([[1, 2, 3]])
    expect(own).toEqual([])
  })

  test('is read by our own pass when there are more than one batch may hold', async () => {
    const alive = Array.from({ length: mostInBatch + 1 }, (_, pid) => identityOf(pid + 1))
    const { read, batches } = setUp({ alive })
    expect((await read(alive.slice(1))).get(2)?.cpuTimeMs).toBe(20)
    expect(batches).toHaveLength(1)
    expect((await read(alive)).get(2)?.cpuTimeMs).toBe(-1)
    expect(batches).toHaveLength(1)
  })

  test('does not take the figures of another process with the same pid', async () => {
    const { read } = setUp({ alive: [identityOf(1), identityOf(2, 'later'), identityOf(3)] })
    expect([...(await read(identities)).keys()]).toEqual([1, 3])
  })

  test('keeps two processes apart that had one pid', async () => {
    const { read } = setUp({ alive: [identityOf(1, 'later')] })
    expect([...(await read([identityOf(1), identityOf(1, 'later')])).values()].map(({ identity }) => identity)).toEqual(
      [identityOf(1, 'later')],
    )
  })

  test('is read by our own pass for a process that the batch has no figures for', async () => {
    const { read, own } = setUp({ alive: [identityOf(1), identityOf(2)], unread: [2, 3] })
    const usages = await read(identities)
    expect([...usages].map(([pid, { cpuTimeMs }]) => [pid, cpuTimeMs])).toEqual([
      [1, 10],
      [2, -1],
    ])
    expect(own).toEqual([[2, 3]])
  })

  test('is read by our own pass when the batch fails, and by pidusage again the next time', async () => {
    const { read, readBatch } = setUp()
    readBatch.mockImplementationOnce(() => Promise.reject(new Error('EMFILE')))
    expect((await read(identities)).get(3)?.cpuTimeMs).toBe(-1)
    expect((await read(identities)).get(3)?.cpuTimeMs).toBe(30)
  })

  test('is read by our own pass while a batch is late, and no other one is started meanwhile', async () => {
    const { read, readBatch } = setUp()
    let end: (readings: Map<number, PidusageReading>) => void = () => undefined
    readBatch.mockImplementationOnce(() => new Promise((resolve) => (end = resolve)))
    const first = read(identities)
    expect((await read(identities)).get(3)?.cpuTimeMs).toBe(-1)
    expect(readBatch).toHaveBeenCalledTimes(1)
    end(new Map())
    expect((await first).get(3)?.cpuTimeMs).toBe(-1)
    expect((await read(identities)).get(3)?.cpuTimeMs).toBe(30)
  })

  test('does not wait for a batch without end', async () => {
    const { read, readBatch } = setUp()
    readBatch.mockImplementationOnce(() => new Promise(() => undefined))
    expect((await read(identities)).get(3)?.cpuTimeMs).toBe(-1)
  })

  test('is read by the process table itself on other systems', async () => {
    const usage = vi.fn(() => Promise.resolve(new Map<number, ProcessUsage>()))
    const readBatch = vi.fn(() => Promise.resolve(new Map<number, PidusageReading>()))
    const table = { exists: () => Promise.resolve(true), usage }
    await createUsageReader(table, { platform: 'darwin', readBatch })(identities)
    expect(usage).toHaveBeenCalledWith(identities)
    expect(readBatch).not.toHaveBeenCalled()
  })
})
