import { constants } from 'node:os'

/**
 * How a process ended, the Python way: `exit 1`, `exit -9 (SIGKILL)`. Code and signal stay apart in the data; this is
 * for people. Undefined while there is neither.
 */
export function formatExit(exit: {
  readonly exitCode: number | null
  readonly signal: string | null
}): string | undefined {
  if (exit.signal !== null) {
    const number = (constants.signals as Readonly<Record<string, number | undefined>>)[exit.signal]
    return number === undefined ? `exit by ${exit.signal}` : `exit -${number} (${exit.signal})`
  }
  return exit.exitCode === null ? undefined : `exit ${exit.exitCode}`
}
