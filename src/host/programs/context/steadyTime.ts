/**
 * Milliseconds on a clock that nobody sets: for how long something has lasted. Only differences of it mean anything.
 */
export function steadyMs(): number {
  return performance.now()
}

/**
 * When on that clock something was that is noted by the wall clock: as long ago as the wall clock says now. To be asked
 * once, soon after it was: a wall clock that is set later on changes the answer.
 */
export function steadyOf(wallMs: number): number {
  return performance.now() - Math.max(0, Date.now() - wallMs)
}

/** What the wall clock would have shown then, had it always been as it is now. */
export function wallOf(steady: number): number {
  return Date.now() - (performance.now() - steady)
}
