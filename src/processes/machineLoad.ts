import { loadavg } from 'node:os'

/** What the whole machine is doing. */
export interface MachineLoad {
  readonly cores: number
  /** 0 to 100 over all cores, since the reading before (the first one takes half a second). */
  readonly cpuPercent: number
  /** 0 to 100 over all cores, since the machine was started. */
  readonly cpuPercentSinceBoot: number
  /** Runnable processes, averaged over 1, 5 and 15 minutes; zeros on Windows, which has no such figure. */
  readonly loadAverage: readonly [number, number, number]
  readonly memoryTotalBytes: number
  /** Not counting caches that the system gives back on demand. */
  readonly memoryUsedBytes: number
}

/** Reads the machine's load through systeminformation. */
export async function readMachineLoad(): Promise<MachineLoad> {
  const { currentLoad, fullLoad, mem } = await import('./systemInformation')
  const [current, sinceBoot, memory] = await Promise.all([currentLoad(), fullLoad(), mem()])
  const [one = 0, five = 0, fifteen = 0] = loadavg()
  return {
    cores: current.cpus.length,
    cpuPercent: clampPercent(current.currentLoad),
    cpuPercentSinceBoot: clampPercent(sinceBoot),
    loadAverage: [one, five, fifteen],
    memoryTotalBytes: memory.total,
    memoryUsedBytes: memory.total - memory.available,
  }
}

function clampPercent(percent: number): number {
  return Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0
}
