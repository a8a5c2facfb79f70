import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/**
 * cmdline and environ wait for the process' memory lock, which a process in state D may hold for ever; this long we
 * wait.
 */
export const memoryFileDeadlineMs = 250

/** Given by {@link beforeDeadline} instead of a value. */
export const tooLate = Symbol('too late')

/**
 * Waits for a reading of `/proc/PID/cmdline`, `environ` or `maps`, but not for ever. Each reading given up may hold one
 * of the four threads of Node's pool for ever, so the caller must not ask for the same process again.
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
