import { readdirSync, readFileSync } from 'node:fs'

/** A process as /proc has it. */
export interface SeenProcess {
  readonly pid: number
  readonly parentPid: number
  /** Clock ticks since the machine started: with the pid, who it is. */
  readonly startTime: number
  /** `R`, `S`, `T`, `t`, `D`. */
  readonly state: string
  /** Its arguments, with a space between. */
  readonly command: string
}

/** Every living process that has this in its environment, as all below it do that keep theirs; a zombie is none. */
export function processesWith(variable: string): SeenProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      if (!/^\d+$/.test(name) || !readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(variable))
        return []
      const seen = processOf(Number(name))
      return seen === undefined ? [] : [seen]
    } catch {
      // It has ended, or is another user's.
      return []
    }
  })
}

/** Undefined for one that has ended, collected or not. */
export function processOf(pid: number): SeenProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state = '', parentPid] = fields
    if (state === 'Z' || state === 'X') return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
    return { pid, parentPid: Number(parentPid), startTime: Number(fields[19]), state, command }
  } catch {
    return undefined
  }
}

/** Sends SIGKILL, to a process of a test that may have ended meanwhile. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was faster.
  }
}
