import { setTimeout } from 'node:timers/promises'
import { readWithPidusage } from './pidusageReader'
import type { ProcessIdentity, ProcessTable, ProcessUsage } from './types'

/** Measures CPU time and memory of processes; those that are gone are left out. */
export type UsageReader = (identities: readonly ProcessIdentity[]) => Promise<Map<number, ProcessUsage>>

/** What {@link createUsageReader} can be given instead of its defaults. */
export interface UsageReaderOptions {
  /** Default: this system's. */
  readonly platform?: NodeJS.Platform
  /** Default: pidusage. */
  readonly readBatch?: typeof readWithPidusage
}

/**
 * Most processes in one batch of pidusage, which keeps a file open for each. With the check of its identity a process
 * costs some 30 µs of CPU time, and 5 µs in our own pass (test/bench/sampling.ts).
 */
export const mostInBatch = 256
/** pidusage reads through Node's I/O threads, which a dead network mount can hold indefinitely. */
const batchDeadlineMs = 1000

/**
 * A reader for processes that are shown to somebody: pidusage in one batch. Our own pass over /proc measures more than
 * {@link mostInBatch} processes, each process that the batch has no figures for, and all of them while a batch is late
 * or has failed. On systems other than Linux the process table itself asks pidusage.
 */
export function createUsageReader(
  table: Pick<ProcessTable, 'exists' | 'usage'>,
  { platform = process.platform, readBatch = readWithPidusage }: UsageReaderOptions = {},
): UsageReader {
  if (platform !== 'linux') return (identities) => table.usage(identities)
  let running: ReturnType<typeof readBatch> | undefined

  async function batch(identities: readonly ProcessIdentity[]): ReturnType<typeof readBatch> {
    const started = readBatch(identities.map(({ pid }) => pid)).finally(() => {
      running = undefined
    })
    running = started
    const deadline = new AbortController()
    try {
      return await Promise.race([
        started,
        setTimeout(batchDeadlineMs, new Map<never, never>(), { ref: false, signal: deadline.signal }),
      ])
    } catch {
      // Nothing is lost: our own pass measures these processes.
      return new Map()
    } finally {
      deadline.abort()
    }
  }

  return async (identities) => {
    const inBatch = identities.length > 0 && identities.length <= mostInBatch && running === undefined
    const readings = inBatch ? await batch(identities) : new Map<never, never>()
    const usages = new Map<number, ProcessUsage>()
    const others: ProcessIdentity[] = []
    for (const identity of identities) {
      const reading = readings.get(identity.pid)
      if (reading === undefined) others.push(identity)
      // Checked after the batch: a process that has this pid and start time now had them during the batch.
      else if (await table.exists(identity)) {
        const { cpuTimeMs, memoryBytes } = reading
        usages.set(identity.pid, { identity, cpuTimeMs, memoryBytes })
      }
    }
    if (others.length > 0) for (const [pid, usage] of await table.usage(others)) usages.set(pid, usage)
    return usages
  }
}
