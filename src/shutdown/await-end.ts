import type { ProcessTable } from '../processes'
import type { Family } from './family'
import type { TrackedProcess } from './tracked-process'

/** What waiting needs. */
export interface EndWatch {
  readonly family: Family
  readonly processes: ProcessTable
  /** Milliseconds since the shutdown began. */
  readonly elapsedMs: () => number
  /** Sleeps, but wakes early when one of our own children was collected. */
  readonly sleep: (ms: number) => Promise<void>
}

/** What the processes that are waited for were sent, and whether a stronger step follows. */
export interface AwaitOptions {
  readonly signal?: NodeJS.Signals
  /** Then nobody waits for a process that is known not to react. */
  readonly escalates: boolean
}

/** After this long a blocked signal that is still pending will not be taken: programs that read a signalfd are quicker. */
const pendingAfterMs = 10

/** Waits until all of these are dead, at most `waitMs`; and no longer once those that are left are known not to react. */
export async function awaitEnd(
  members: readonly TrackedProcess[],
  waitMs: number,
  watch: EndWatch,
  options: AwaitOptions,
): Promise<void> {
  const startMs = watch.elapsedMs()
  let waiting = members
  for (;;) {
    const lookMs = watch.elapsedMs()
    await watch.family.refresh(waiting.filter((member) => !member.over))
    const lookedForMs = watch.elapsedMs() - lookMs
    const waitedMs = watch.elapsedMs() - startMs
    const worth = await Promise.all(waiting.map((member) => isWorthWaiting(member, waitedMs, watch.processes, options)))
    waiting = waiting.filter((_, index) => worth[index])
    if (waiting.length === 0 || waitedMs >= waitMs) return
    // Looking takes at most a fifth of the time, however many there are.
    await watch.sleep(Math.min(Math.max(pollAfterMs(waitedMs), 4 * lookedForMs), waitMs - waitedMs))
  }
}

async function isWorthWaiting(
  member: TrackedProcess,
  waitedMs: number,
  processes: ProcessTable,
  { signal, escalates }: AwaitOptions,
): Promise<boolean> {
  if (member.over || member.refused !== undefined || member.hung) return false
  if (!escalates || signal === undefined || member.masks === undefined) return true
  if (member.masks.ignored.has(signal)) return false
  if (!member.masks.blocked.has(signal) || waitedMs < pendingAfterMs) return true
  const masks = await processes.signalMasks(member.identity)
  return masks?.pending.has(signal) !== true
}

/** Fine at first, when most processes end; coarser in a long grace period, where a tenth of a second is soon enough. */
function pollAfterMs(waitedMs: number): number {
  if (waitedMs < 1000) return Math.min(10, Math.max(2, waitedMs / 10))
  return Math.min(100, waitedMs / 100)
}
