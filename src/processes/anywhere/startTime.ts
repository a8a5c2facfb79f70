import type { ProcessIdentity } from '../types'

/**
 * systeminformation computes start times as "now minus running time", both cut to seconds, so the start of one process
 * differs by a second between readings. Starts within this distance are taken for the same.
 */
export const startSlackSeconds = 2

/** The `startTime` of an identity whose process started at this second of the epoch. */
export function startTimeFromSeconds(seconds: number): string {
  return `epoch-${seconds}`
}

/** The second of the epoch at which the process started; NaN for an identity of another kind of table. */
export function startSecondsOf(identity: ProcessIdentity): number {
  return identity.startTime.startsWith('epoch-') ? Number(identity.startTime.slice('epoch-'.length)) : Number.NaN
}

/** Whether two identities of one pid are the same process, as far as seconds can tell. */
export function isSameStart(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && Math.abs(startSecondsOf(one) - startSecondsOf(other)) <= startSlackSeconds
}

/**
 * Reads systeminformation's `started` (`2024-05-31 12:00:00`). On Windows it is the local time of that day; elsewhere
 * it is UTC shifted by the offset of TODAY, which differs for a process that was started before the clocks changed.
 */
export function parseStarted(started: string, platform: NodeJS.Platform, now = new Date()): number {
  const text = started.replace(' ', 'T')
  if (platform === 'win32') return Math.floor(Date.parse(text) / 1000)
  return Math.floor(Date.parse(`${text}Z`) / 1000) + now.getTimezoneOffset() * 60
}
