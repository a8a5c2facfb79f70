import type { ProcessState } from '../types'

/** The fields of `/proc/PID/stat` that we use; proc_pid_stat(5) numbers them from 1. */
export interface ProcStat {
  readonly pid: number
  readonly command: string
  readonly state: ProcessState
  readonly parentPid: number
  readonly processGroup: number
  readonly session: number
  readonly cpuTicks: number
  /** Since boot. */
  readonly startTicks: number
  readonly residentPages: number
}

const openParenthesis = 0x28
const closeParenthesis = 0x29

/**
 * Parses `/proc/PID/stat`. The program's name stands in parentheses and may itself hold spaces, parentheses and newlines,
 * so the rest is counted from the LAST `)`. Returns undefined for a process that is already dead (state X) or garbage.
 */
export function parseProcStat(bytes: Buffer): ProcStat | undefined {
  const nameStart = bytes.indexOf(openParenthesis)
  const nameEnd = bytes.lastIndexOf(closeParenthesis)
  if (nameStart < 0 || nameEnd < nameStart) return undefined
  const fields = bytes.toString('latin1', nameEnd + 2, bytes.length).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  const letter = fields[0] ?? ''
  if (letter === 'X' || letter === 'x' || fields.length < 22) return undefined
  // A leader that has ended while its other threads run is shown as Z, but the process lives on and takes signals.
  const threads = field(20)
  return {
    pid: Number(bytes.toString('latin1', 0, nameStart)),
    command: bytes.toString('utf8', nameStart + 1, nameEnd),
    state: letter === 'Z' && threads > 1 ? 'sleeping' : spellOut(letter),
    parentPid: field(4),
    processGroup: field(5),
    session: field(6),
    cpuTicks: field(14) + field(15),
    startTicks: field(22),
    residentPages: field(24),
  }
}

function spellOut(letter: string): ProcessState {
  switch (letter) {
    case 'R':
      return 'running'
    case 'S':
      return 'sleeping'
    case 'D':
      return 'uninterruptible'
    // t: held by a debugger. SIGCONT does not help there, but it is stopped all the same.
    case 'T':
    case 't':
      return 'stopped'
    case 'Z':
      return 'zombie'
    case 'I':
      return 'idle'
    default:
      return 'unknown'
  }
}
