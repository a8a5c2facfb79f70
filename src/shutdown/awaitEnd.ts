import type { ProcessTable } from '../processes'
import type { TargetTree } from './targetTree'
import type { TrackedProcess } from './trackedProcess'

/** What waiting needs. */
export interface EndWatch {
  readonly tree: TargetTree
  readonly processes: ProcessTable
  /** Milliseconds since the shutdown began. */
  readonly elapsedMs: () => number
  /** Sleeps, but wakes early when one of our own children was collected. */
  readonly sleep: (ms: number) => Promise<void>
}

/**
 * After this long a blocked signal that is still pending will not be taken: programs that read a signalfd are quicker.
 */
const pendingAfterMs = 10

/** Waits until all of these have left by themselves, at most `waitMs`; not for what is hung in the kernel. */
export async function awaitEnd(members: readonly TrackedProcess[], waitMs: number, watch: EndWatch): Promise<void> {
  const startMs = watch.elapsedMs()
  const mayEnd = (member: TrackedProcess): boolean => !member.over && member.refused === undefined && !member.hung
  let waiting = members.filter(mayEnd)
  while (waiting.length > 0) {
    const lookMs = watch.elapsedMs()
    await watch.tree.refresh(waiting)
    const lookedForMs = watch.elapsedMs() - lookMs
    const waitedMs = watch.elapsedMs() - startMs
    waiting = waiting.filter(mayEnd)
    if (waiting.length === 0 || waitedMs >= waitMs) return
    // Looking takes at most a fifth of the time, however many there are.
    await watch.sleep(Math.min(Math.max(pollAfterMs(waitedMs), 4 * lookedForMs), waitMs - waitedMs))
  }
}

/** Whether a process blocks a signal that it got `waitedMs` ago and has not fetched. */
export async function isDeaf(
  member: TrackedProcess,
  signal: NodeJS.Signals,
  waitedMs: number,
  processes: ProcessTable,
): Promise<boolean> {
  if (waitedMs < pendingAfterMs || member.masks?.blocked.has(signal) !== true) return false
  return (await processes.signalMasks(member.identity))?.pending.has(signal) === true
}

/** Fine at first, when most processes end; coarser in a long grace period, where a tenth of a second is soon enough. */
export function pollAfterMs(waitedMs: number): number {
  if (waitedMs < 1000) return Math.min(10, Math.max(2, waitedMs / 10))
  return Math.min(100, waitedMs / 100)
}
