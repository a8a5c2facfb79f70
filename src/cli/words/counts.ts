import type { CountsSnapshot } from '../../protocol'
import { totalTasks } from '../../words'

/** The tasks of a pool by state, in words: `10 of 12 done`, `2 running`, `1 stuck`. Zeroes are left out. */
export function countWords(counts: CountsSnapshot): string[] {
  const parts: [number, string][] = [
    [counts.running, 'running'],
    [counts.stuck, 'stuck'],
    [counts.queued, 'queued'],
    [counts.failed, 'failed'],
    [counts.lost, 'lost'],
    [counts.timedOut, 'timed out'],
    [counts.cancelled, 'cancelled'],
  ]
  return [
    `${counts.done} of ${totalTasks(counts)} done`,
    ...parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`),
  ]
}

/** The counts of two pools together. */
export function addCounts(one: CountsSnapshot, other: CountsSnapshot): CountsSnapshot {
  return {
    queued: one.queued + other.queued,
    running: one.running + other.running,
    stuck: one.stuck + other.stuck,
    done: one.done + other.done,
    failed: one.failed + other.failed,
    lost: one.lost + other.lost,
    timedOut: one.timedOut + other.timedOut,
    cancelled: one.cancelled + other.cancelled,
  }
}
