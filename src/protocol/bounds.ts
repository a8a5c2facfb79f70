/** Timers count milliseconds in 32 bits; a longer wait would fire at once. */
export const longestTimerMs = 2_147_483_647
