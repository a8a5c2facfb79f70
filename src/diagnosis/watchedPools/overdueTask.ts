import { isQuiet } from '../quiet'
import { isLive, isWriting } from './conditions'
import type { ProgramPoolFacts, ProgramTaskFacts, ProgramWorkerFacts } from './facts'

/** The task of a live worker when it is over the threshold, and whether it has been without movement long enough. */
export function overdueTask(
  { stuckAfterMs, parent }: ProgramPoolFacts,
  worker: ProgramWorkerFacts,
): { readonly task: ProgramTaskFacts; readonly quiet: boolean } | undefined {
  const { task, quietMs, wait, waitsMs } = worker
  if (task === null || !isLive(worker) || task.runningMs < stuckAfterMs) return undefined
  // A busy program takes the result late.
  if (task.sending && !parent.answers) return undefined
  // A slow reader wakes the writer without CPU time that a sample could show.
  return { task, quiet: isQuiet({ quietMs: isWriting(wait) ? Math.min(quietMs, waitsMs) : quietMs, stuckAfterMs }) }
}
