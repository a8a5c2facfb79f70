import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/**
 * How long to wait for cmdline and environ: they need the process's memory lock, which a process in state D may hold
 * indefinitely.
 */
export const memoryFileDeadlineMs = 250

/** Given by {@link beforeDeadline} instead of a value. */
export const tooLate = Symbol('too late')

/**
 * Reads `/proc/PID/cmdline`, `environ` or `maps`, with a deadline. Each reading that misses it may hold one of the four
 * threads of Node's pool indefinitely, so the caller must not ask for the same process again.
 */
export async function beforeDeadline<Value>(
  reading: Promise<Value>,
  deadlineMs = memoryFileDeadlineMs,
): Promise<Value | typeof tooLate> {
  const giveUp = new AbortController()
  try {
    return await Promise.race([reading, setTimeout(deadlineMs, tooLate, { signal: giveUp.signal, ref: false })])
  } finally {
    giveUp.abort()
  }
}

/** The text of such a file; use with {@link beforeDeadline}. */
export function readMemoryFile(path: string): Promise<string> {
  return readFile(path, 'utf8')
}
