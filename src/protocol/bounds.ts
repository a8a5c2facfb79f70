import * as z from 'zod'

/** Timers count milliseconds in 32 bits; a longer wait would fire at once. */
export const longestTimerMs = 2_147_483_647

/** No environment and no command line can carry it; the system would refuse the start of every worker. */
export const withoutNul = z.string().refine((text) => !text.includes('\0'), 'holds a NUL character')
