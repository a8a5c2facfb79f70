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
const space = 0x20
const zero = 0x30
/** No name ends later: a pid of 7 digits, and at most 64 characters (those of kernel threads; others have 15). */
const latestNameEnd = 7 + ' ('.length + 64
/** The last field that is used. */
const lastField = 24

/** Numbers of the fields 4 to 24; one array is enough, it is read before the next line is parsed. */
const numbers = new Float64Array(lastField + 1)

/**
 * Parses `/proc/PID/stat`. The program's name stands in parentheses and may itself hold spaces, parentheses and
 * newlines, so the rest is counted from the LAST `)`. Returns undefined for a process that is already dead (state X) or
 * garbage.
 */
export function parseProcStat(bytes: Buffer): ProcStat | undefined {
  const nameStart = bytes.indexOf(openParenthesis)
  const nameEnd = readNumbers(bytes, bytes.length)
  if (nameStart < 0 || nameEnd === undefined) return undefined
  const letter = String.fromCharCode(bytes[nameEnd + 2] ?? space)
  // A main thread that has ended before the others is shown as Z, but the process lives on and takes signals.
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

/** Only what is measured again and again, from the first `length` bytes, for a fraction of the work. */
export function parseProcUsage(
  bytes: Buffer,
  length: number,
): (Pick<ProcStat, 'cpuTicks' | 'startTicks' | 'residentPages'> & { readonly waitedCpuTicks: number }) | undefined {
  if (readNumbers(bytes, length) === undefined) return undefined
  return {
    cpuTicks: field(14) + field(15),
    waitedCpuTicks: field(16) + field(17),
    startTicks: field(22),
    residentPages: field(24),
  }
}

function field(number: number): number {
  return numbers[number] ?? Number.NaN
}

/**
 * Reads the fields from the fourth on, after the name and a state of one letter. Returns where the name ends; undefined
 * for a dead process and for garbage. Works on bytes in one sweep, because it runs for every process of the machine:
 * splitting strings took five times as long. The few fields that can be negative come out wrong; none of them is used.
 */
function readNumbers(bytes: Buffer, length: number): number | undefined {
  let nameEnd = Math.min(length - 1, latestNameEnd)
  while (nameEnd >= 0 && bytes[nameEnd] !== closeParenthesis) nameEnd--
  const state = bytes[nameEnd + 2]
  if (nameEnd < 0 || state === 0x58 || state === 0x78) return undefined
  let number = 4
  let value = 0
  for (let position = nameEnd + 4; position < length; position++) {
    const byte = bytes[position] ?? space
    if (byte !== space) {
      value = value * 10 + (byte - zero)
      continue
    }
    numbers[number] = value
    if (number === lastField) return nameEnd
    number++
    value = 0
  }
  return undefined
}

function spellOut(letter: string): ProcessState {
  switch (letter) {
    case 'R':
      return 'running'
    case 'S':
      return 'sleeping'
    case 'D':
      return 'uninterruptible'
    // t: held by a debugger. The process is stopped as well, but SIGCONT does not help.
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
