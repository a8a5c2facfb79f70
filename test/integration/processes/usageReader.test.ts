import { readdirSync, readlinkSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { createProcessTable, createUsageReader, mostInBatch } from '../../../src/processes'
import { StartedProcesses, until } from './startedProcesses'

const processes = new StartedProcesses()
const table = createProcessTable()
afterEach(() => processes.endAll())

/** Pids whose /proc/PID/stat this process holds open. */
function openStats(): number[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const pid = /^\/proc\/(\d+)\/stat$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1]
      return pid === undefined ? [] : [Number(pid)]
    } catch {
      // The descriptor of this very listing.
      return []
    }
  })
}

const sleeping = 'echo ready; exec sleep 1000'

describe.skipIf(process.platform !== 'linux')('pidusage', () => {
  test('measures the others of a batch in which a process dies', async () => {
    const read = createUsageReader(table)
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => processes.shell(sleeping)))
    const identities = [first!, second!, third!].map(({ identity }) => identity)
    expect([...(await read(identities)).keys()]).toEqual(identities.map(({ pid }) => pid))
    await processes.kill(second!, 'SIGKILL')
    await second!.exited
    expect([...(await read(identities)).keys()]).toEqual([first!.pid, third!.pid])
  })

  test('has no figures for a process that had the pid before', async () => {
    const { identity } = await processes.shell(sleeping)
    const before = { ...identity, startTime: identity.startTime.replace(/\d+$/, '1') }
    expect(await createUsageReader(table)([before])).toEqual(new Map())
  })

  test('gives the figures that our own pass gives', async () => {
    const busy = await processes.node('catches-sigterm-and-spins.mjs')
    const usages = await until(async () => {
      const before = (await table.usage([busy.identity])).get(busy.pid)!
      const batch = (await createUsageReader(table)([busy.identity])).get(busy.pid)!
      const after = (await table.usage([busy.identity])).get(busy.pid)!
      return before.cpuTimeMs > 100 && { before, batch, after }
    }, 'CPU time')
    expect(usages.batch.cpuTimeMs).toBeGreaterThanOrEqual(usages.before.cpuTimeMs)
    expect(usages.batch.cpuTimeMs).toBeLessThanOrEqual(usages.after.cpuTimeMs)
    expect(usages.batch.memoryBytes % 4096).toBe(0)
  })

  test('holds one file open for each process, and closes it soon after the last measurement', async () => {
    const read = createUsageReader(table)
    const started = await Promise.all(Array.from({ length: 8 }, () => processes.shell(sleeping)))
    const pids = new Set(started.map(({ pid }) => pid))
    for (let round = 0; round < 3; round++) await read(started.map(({ identity }) => identity))
    expect(openStats().filter((pid) => pids.has(pid))).toHaveLength(pids.size)
    await until(() => !openStats().some((pid) => pids.has(pid)), 'the files to be closed')
  }, 30_000)

  test('is not asked about more processes than it may hold files for', async () => {
    const { identity, pid } = await processes.shell(sleeping)
    const many = Array.from({ length: mostInBatch }, (_, at) => ({ pid: 4_000_000 + at, startTime: 'gone' }))
    const usages = await createUsageReader(table)([identity, ...many])
    // Only our own pass knows the time of children that have ended.
    expect(usages.get(pid)).toHaveProperty('waitedCpuTimeMs')
  })
})
