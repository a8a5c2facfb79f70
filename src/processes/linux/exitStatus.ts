import { signalName } from '../signalNames'
import type { ExitStatus } from '../types'

/** Of /proc/PID/stat, counted from 1 (proc_pid_stat(5)): how it ended, as waitpid() would tell. */
const exitCodeField = 52

/**
 * How a zombie ended, from its /proc/PID/stat and status. Undefined when it is no zombie, when only its main thread has
 * ended, and when it belongs to another user: there the kernel shows 0, which would look like success.
 */
export function parseExitStatus(stat: string, status: string, userId: number): ExitStatus | undefined {
  // The name may hold parentheses: the last one ends it. The state is field 3.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .trim()
    .split(' ')
  const field = (number: number): string | undefined => fields[number - 3]
  if (field(3) !== 'Z' || Number(field(20)) > 1) return undefined
  const owners = /^Uid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/).map(Number)
  if (owners === undefined || (userId !== 0 && owners.some((owner) => owner !== userId))) return undefined
  const code = Number(field(exitCodeField))
  if (!Number.isSafeInteger(code)) return undefined
  const signalNumber = code & 0x7f
  if (signalNumber === 0) return { exitCode: (code >> 8) & 0xff, signal: null }
  // A real-time signal has no name in Node; the code is what a shell would report.
  const signal = signalName(signalNumber)
  return signal === undefined ? { exitCode: 128 + signalNumber, signal: null } : { exitCode: null, signal }
}
