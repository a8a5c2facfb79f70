import type { CountsSnapshot } from '../../protocol'
import { cutToWidth, finishedTasks, formatSeconds, plainLine, totalTasks } from '../../words'
import { countWords } from '../words/counts'

/** What a progress line is made of. */
export interface Progress {
  readonly name: string
  readonly counts: CountsSnapshot
  readonly elapsedMs: number
  /** The host's estimate, null while unknown. */
  readonly etaMs: number | null
}

/** `Word count: 57 of 132 done, 4 running, 71 queued · 12 s, about 8 s left`, cut to the width of the terminal. */
export function progressLine({ name, counts, elapsedMs, etaMs }: Progress, columns = Number.POSITIVE_INFINITY): string {
  const left = etaMs === null || counts.queued + counts.running === 0 ? '' : `, about ${wholeSeconds(etaMs)} left`
  // A program that has not made a pool yet, or does not report its tasks.
  const tasks = totalTasks(counts) === 0 ? 'running' : countWords(counts).join(', ')
  const line = `${plainLine(name)}: ${tasks} · ${wholeSeconds(elapsedMs)}${left}`
  // One column is left free: a line that fills the last one wraps on some terminals and could not be erased.
  return cutToWidth(line, columns - 1)
}

/**
 * At least one second, rounded: an estimate in tenths of a second claims more than it knows, and a line that always
 * changes cannot be read.
 */
function wholeSeconds(ms: number): string {
  return formatSeconds(Math.max(1, Math.round(ms / 1000)) * 1000)
}

/** Where a line cannot be rewritten (a pipe, a log of a CI run), one now and then is enough. */
const plainIntervalMs = 10_000

/** Decides when the next plain progress line is due: now and then, and only when something was finished since. */
export class PlainProgress {
  #lastAt: number
  #lastFinished = 0

  constructor(startedAt: number) {
    this.#lastAt = startedAt
  }

  isDue(counts: CountsSnapshot, now: number): boolean {
    const finished = finishedTasks(counts)
    if (now - this.#lastAt < plainIntervalMs || finished === this.#lastFinished) return false
    this.#lastAt = now
    this.#lastFinished = finished
    return true
  }
}
