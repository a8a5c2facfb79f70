import type { RunningProgram } from '../../protocol'
import { plainLine } from '../../words'

/** A line a program that nobody watches any more, and how to look at it. */
export function unwatchedLines(programs: readonly RunningProgram[], since = ''): string[] {
  return programs.map(
    ({ name, pid }) => `${plainLine(name)} (pid ${pid}) runs on, unwatched${since}: unhang attach ${pid}`,
  )
}

/** As {@link unwatchedLines}, of those that the host before this one watched. */
export function leftLines(programs: readonly RunningProgram[]): string[] {
  return unwatchedLines(programs, ' since the host ended')
}
