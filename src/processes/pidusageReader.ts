import type pidusageModule from 'pidusage'

/**
 * CPU time and memory as pidusage tells them, with the start of the process so that the caller can check whose they
 * are.
 */
export interface PidusageReading {
  readonly cpuTimeMs: number
  readonly memoryBytes: number
  /** Epoch milliseconds; exact to a second or two. */
  readonly startedAtMs: number
}

/**
 * How long pidusage keeps an entry per pid. On Linux an entry holds /proc/PID/stat open, and only running out closes
 * it: `pidusage.clear()` forgets the descriptors without closing them, and 0 makes it read the file for ever. So:
 * short, never cleared.
 */
const maxAgeMs = 5000

/**
 * Reads many pids in one batch by pidusage (`ps` on macOS and BSD, WMI on Windows, /proc on Linux). Pids that are gone
 * are left out; nothing is thrown for them, not even when all of them are gone.
 */
export async function readWithPidusage(pids: readonly number[]): Promise<Map<number, PidusageReading>> {
  const readings = new Map<number, PidusageReading>()
  if (pids.length === 0) return readings
  // Loaded when first needed: on Linux that is never.
  const { default: pidusage } = await import('pidusage')
  // Its types know of neither: a pid that is gone is undefined or null.
  let stats: Record<string, pidusageModule.Status | undefined | null>
  try {
    // A copy, because pidusage writes into the array.
    stats = await pidusage([...pids], { maxage: maxAgeMs })
  } catch (error) {
    if (meansGone(error)) return readings
    throw error
  }
  for (const pid of pids) {
    const stat = stats[pid]
    if (stat === undefined || stat === null) continue
    readings.set(pid, { cpuTimeMs: stat.ctime, memoryBytes: stat.memory, startedAtMs: stat.timestamp - stat.elapsed })
  }
  return readings
}

function meansGone(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH' || message.includes('No matching pid')
}
