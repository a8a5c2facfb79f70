/**
 * How long a task must have been without movement, as a share of `stuckAfterMs`. Sampling begins at half of
 * `stuckAfterMs`, so that a task that never moved gets its verdict at `stuckAfterMs` and not later.
 */
export const quietShare = 0.5
/** A timer may fire this much early or late; without the slack the verdict would wait for the next sample. */
const timerSlackMs = 25
/** A busy disk puts healthy processes in state D for moments: only consecutive samples mean a wait for a device. */
export const samplesInStateD = 3

/** No movement for as long as a verdict needs. Times are milliseconds. */
export function isQuiet({
  quietMs,
  stuckAfterMs,
}: {
  readonly quietMs: number
  readonly stuckAfterMs: number
}): boolean {
  return quietMs >= stuckAfterMs * quietShare - timerSlackMs
}
