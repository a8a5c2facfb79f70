import type pidusageModule from 'pidusage'

/**
 * CPU time and memory as pidusage reports them, with the start of the process, by which a caller can check which
 * process they belong to.
 */
export interface PidusageReading {
  readonly cpuTimeMs: number
  readonly memoryBytes: number
  /** Epoch milliseconds; exact to a second or two. */
  readonly startedAtMs: number
}

/**
 * How long pidusage keeps an entry per pid. On Linux an entry holds /proc/PID/stat open, and only its expiry closes it:
 * `pidusage.clear()` forgets the descriptors without closing them, and with 0 it reads the file in an endless loop. So
 * the time is short, and nothing is cleared.
 */
const maxAgeMs = 5000

/**
 * Reads many pids in one batch by pidusage (`ps` on macOS and BSD, WMI on Windows, /proc on Linux). Pids that are gone
 * are left out, and do not cost the others their figures. On Linux a pid that was reused is left out as well for as long
 * as it is asked for: the open file is of the process before, and each question renews the entry.
 *
 * @throws what pidusage throws, but for processes that are gone
 */
export async function readWithPidusage(pids: readonly number[]): Promise<Map<number, PidusageReading>> {
  const readings = new Map<number, PidusageReading>()
  if (pids.length === 0) return readings
  // Loaded at the first measurement: most programs that load the core make none.
  const { default: pidusage } = await import('pidusage')
  // Its types have neither undefined nor null, which stand for a pid that is gone.
  let stats: Record<string, pidusageModule.Status | undefined | null>
  try {
    // A copy, because pidusage writes into the array. `usePs` would otherwise come from the environment.
    stats = await pidusage([...pids], { maxage: maxAgeMs, usePs: false })
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
