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
  let waiting = members.filter((member) => mayReact(member, options))
  while (waiting.length > 0) {
    const lookMs = watch.elapsedMs()
    await watch.family.refresh(waiting)
    const lookedForMs = watch.elapsedMs() - lookMs
    const waitedMs = watch.elapsedMs() - startMs
    waiting = waiting.filter((member) => mayReact(member, options))
    if (waitedMs >= pendingAfterMs) waiting = await withoutDeaf(waiting, watch.processes, options)
    if (waiting.length === 0 || waitedMs >= waitMs) return
    // Looking takes at most a fifth of the time, however many there are.
    await watch.sleep(Math.min(Math.max(pollAfterMs(waitedMs), 4 * lookedForMs), waitMs - waitedMs))
  }
}

/** False for a process that is dead, out of reach, hung in the kernel, or that will ignore the signal while another one follows. */
function mayReact(member: TrackedProcess, { signal, escalates }: AwaitOptions): boolean {
  if (member.over || member.refused !== undefined || member.hung) return false
  return !escalates || signal === undefined || member.masks?.ignored.has(signal) !== true
}

/** Leaves out those that block the signal and have not fetched it by now, where another one follows. */
async function withoutDeaf(
  members: readonly TrackedProcess[],
  processes: ProcessTable,
  { signal, escalates }: AwaitOptions,
): Promise<TrackedProcess[]> {
  if (!escalates || signal === undefined) return [...members]
  const deaf = await Promise.all(members.map(async (member) => {
    if (member.masks?.blocked.has(signal) !== true) return false
    return (await processes.signalMasks(member.identity))?.pending.has(signal) === true
  }))
  return members.filter((_, index) => deaf[index] !== true)
}

/** Fine at first, when most processes end; coarser in a long grace period, where a tenth of a second is soon enough. */
function pollAfterMs(waitedMs: number): number {
  if (waitedMs < 1000) return Math.min(10, Math.max(2, waitedMs / 10))
  return Math.min(100, waitedMs / 100)
}
