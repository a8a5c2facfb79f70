import type { ProcessIdentity } from '../types'

/** `<boot id>-<ticks since boot>`: field 22 of /proc/PID/stat means nothing without the boot it counts from. */
export function startTimeFromTicks(bootId: string, ticks: number): string {
  return `${bootId}-${ticks}`
}

/** The ticks in an identity's start time, which order the processes of one boot. */
export function startTicksOf(identity: ProcessIdentity): number {
  return Number(identity.startTime.slice(identity.startTime.lastIndexOf('-') + 1))
}

/** Whether an identity is of this boot; otherwise its process is gone. */
export function isOfBoot(identity: ProcessIdentity, bootId: string): boolean {
  return identity.startTime.startsWith(`${bootId}-`)
}
