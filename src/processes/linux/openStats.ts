import { closeSync, openSync, readSync } from 'node:fs'
import { forEachInSlices } from '../slices'
import type { ProcessIdentity, ProcessUsage } from '../types'
import type { KernelConstants } from './kernel'
import { isGoneOrForbidden, isOutOfDescriptors } from './procFile'
import { isOfBoot, startTicksOf } from './startTicks'
import { parseProcUsage } from './stat'

/**
 * Files kept open; beyond that each is opened and closed. Node raises the limit of open files to what the system
 * allows.
 */
const mostOpen = 1024
/** A file that was not read for this long is closed: its process is no longer measured. */
const idleMs = 10_000

interface OpenStat {
  readonly file: number
  readonly startTime: string
  usedAt: number
}

/**
 * CPU time and memory of processes that are measured again and again, through files that stay open: that halves the
 * cost (test/bench/sampling.ts). An open /proc/PID/stat stays with its process: once the process is gone, reading
 * fails, even when another process has the pid.
 */
export class OpenStats {
  readonly #open = new Map<number, OpenStat>()
  readonly #buffer = Buffer.allocUnsafe(4096)
  #sweeper: NodeJS.Timeout | undefined

  /** Measures these processes; those that are gone are left out. */
  async read(identities: readonly ProcessIdentity[], kernel: KernelConstants): Promise<Map<number, ProcessUsage>> {
    const usages = new Map<number, ProcessUsage>()
    const now = performance.now()
    const cpuTickMs = 1000 / kernel.ticksPerSecond
    await forEachInSlices(identities, (identity) => {
      const usage = this.#readOne(identity, kernel.bootId, now)
      if (usage === undefined) return
      usages.set(identity.pid, {
        identity,
        cpuTimeMs: usage.cpuTicks * cpuTickMs,
        waitedCpuTimeMs: usage.waitedCpuTicks * cpuTickMs,
        memoryBytes: usage.residentPages * kernel.pageSizeBytes,
      })
    })
    this.#sweepLater()
    return usages
  }

  #readOne(identity: ProcessIdentity, bootId: string, now: number): ReturnType<typeof parseProcUsage> {
    const known = this.#open.get(identity.pid)
    if (known?.startTime === identity.startTime) {
      const usage = this.#parse(known.file)
      if (usage === undefined) this.#close(identity.pid, known)
      else known.usedAt = now
      return usage
    }
    if (known !== undefined) this.#close(identity.pid, known)
    return isOfBoot(identity, bootId) ? this.#readFirst(identity, now) : undefined
  }

  /** Only at this point can another process have the pid. */
  #readFirst(identity: ProcessIdentity, now: number): ReturnType<typeof parseProcUsage> {
    let file: number
    try {
      file = openSync(`/proc/${identity.pid}/stat`, 'r')
    } catch (error) {
      if (isGoneOrForbidden(error) || isOutOfDescriptors(error)) return undefined
      throw error
    }
    const usage = this.#parse(file)
    const isSame = usage?.startTicks === startTicksOf(identity)
    if (isSame && this.#open.size < mostOpen)
      this.#open.set(identity.pid, { file, startTime: identity.startTime, usedAt: now })
    else closeSync(file)
    return isSame ? usage : undefined
  }

  #parse(file: number): ReturnType<typeof parseProcUsage> {
    try {
      return parseProcUsage(this.#buffer, readSync(file, this.#buffer, 0, this.#buffer.length, 0))
    } catch (error) {
      if (isGoneOrForbidden(error)) return undefined
      throw error
    }
  }

  #close(pid: number, { file }: OpenStat): void {
    this.#open.delete(pid)
    closeSync(file)
  }

  #sweepLater(): void {
    if (this.#sweeper !== undefined || this.#open.size === 0) return
    this.#sweeper = setTimeout(() => {
      this.#sweeper = undefined
      const oldest = performance.now() - idleMs
      for (const [pid, open] of this.#open) if (open.usedAt <= oldest) this.#close(pid, open)
      this.#sweepLater()
    }, idleMs)
    this.#sweeper.unref()
  }
}
