import { SystemProcessTable } from './anywhere/processTable'
import { LinuxProcessTable } from './linux/processTable'
import { ProtectedPids } from './protectedPids'
import type { ProcessTable } from './types'

/** How {@link createProcessTable} chooses and sets up. */
export interface ProcessTableOptions {
  /** Pids beside ≤ 1, this process and its parent that no signal may reach. */
  readonly protectedPids?: ProtectedPids
  /** Default: this system's. */
  readonly platform?: NodeJS.Platform
}

/** The process table of this system: /proc on Linux, `systeminformation` and `pidusage` elsewhere. */
export function createProcessTable(options: ProcessTableOptions = {}): ProcessTable {
  const { platform = process.platform, ...rest } = options
  return platform === 'linux' ? new LinuxProcessTable(rest) : new SystemProcessTable(rest)
}

/** Pids that {@link processTable} protects; add the extension host, or the host of another workspace. */
export const protectedPids = new ProtectedPids()

/** The process table that all parts of one process share. */
export const processTable: ProcessTable = createProcessTable({ protectedPids })
