import { readFileSync } from 'node:fs'
import type { SeenProcess } from './markedProcesses'

/** What these tests read of an entry in `kills.jsonl`. */
export interface LedgerLine {
  readonly at: number
  /** `startTime` ends with the clock ticks of /proc. */
  readonly identity: { readonly pid: number; readonly startTime: string }
  readonly signal: string
  readonly outcome: string
}

/** Every signal that the host of this file sent to one of these processes, in the order in which it did. */
export function signalsTo(processes: readonly SeenProcess[], killsFile: string): LedgerLine[] {
  const ticks = new Map(processes.map(({ pid, startTime }) => [pid, startTime]))
  return readFileSync(killsFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerLine)
    .filter(({ identity: { pid, startTime } }) => ticks.has(pid) && startTime.endsWith(`-${String(ticks.get(pid))}`))
}

/**
 * Python keeps these to clean up behind all others; they come last, although a fork server is the parent of workers.
 */
const isHelper = ({ command }: SeenProcess): boolean => /multiprocessing\.(resource_tracker|forkserver)/.test(command)

/**
 * A line for each process that was sent SIGTERM or SIGKILL before one above it was. One above it that was sent nothing
 * had ended by itself.
 */
export function outOfOrder(sent: readonly LedgerLine[], tree: readonly SeenProcess[]): string[] {
  const byPid = new Map(tree.map((one) => [one.pid, one]))
  const ends = sent.filter(({ signal }) => signal === 'SIGTERM' || signal === 'SIGKILL')
  const firstTo = (pid: number): number => ends.findIndex(({ identity }) => identity.pid === pid)
  return tree.flatMap((process) => {
    const at = firstTo(process.pid)
    if (at === -1 || isHelper(process)) return []
    return ancestorsOf(process, byPid)
      .filter((above) => !isHelper(above) && firstTo(above.pid) > at)
      .map(
        (above) =>
          `${process.pid} (${process.command}) was signalled before ${above.pid} (${above.command}), which is above it`,
      )
  })
}

/** A timer may fire up to a millisecond early by the wall clock, and both times are rounded. */
const clockMs = 2

/** A line for each SIGKILL that came before the grace period was over, counted from this process' own SIGTERM. */
export function tooEarly(sent: readonly LedgerLine[], graceMs: number): string[] {
  return sent
    .filter(({ signal }) => signal === 'SIGKILL')
    .flatMap(({ at, identity: { pid } }) => {
      const term = sent.find(({ identity, signal }) => identity.pid === pid && signal === 'SIGTERM')
      if (term === undefined) return [`${pid} got SIGKILL without SIGTERM`]
      return at - term.at < graceMs - clockMs
        ? [`${pid} got SIGKILL ${at - term.at} ms after SIGTERM, not ${graceMs}`]
        : []
    })
}

function ancestorsOf({ parentPid }: SeenProcess, byPid: ReadonlyMap<number, SeenProcess>): SeenProcess[] {
  const parent = byPid.get(parentPid)
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent, byPid)]
}
