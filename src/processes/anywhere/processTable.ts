import { findDescendants, type DescendantRoot } from '../descendants'
import { readWithPidusage } from '../pidusageReader'
import { ProtectedPids } from '../protectedPids'
import { sendSignal } from '../sendSignal'
import type { ProcessIdentity, ProcessRow, ProcessTable, ProcessUsage, SignalMasks, SignalOutcome } from '../types'
import { isSameStart, startSecondsOf, startSlackSeconds } from './startTime'
import { TableReader } from './tableReader'

/** How a {@link SystemProcessTable} is made. */
export interface SystemProcessTableOptions {
  readonly protectedPids?: ProtectedPids
}

/**
 * The process table where there is no /proc, through `systeminformation` (`ps` on macOS and BSD, WMI on Windows). Its
 * limits:
 * - Start times are known to a second or two, so a pid reused within that time passes for the same process.
 * - Sessions, process groups, signal masks and environments are not known: `session` and `processGroup` are 0, and a
 *   re-parented descendant is not found. Descendants are found by parent pid alone, which Windows keeps after the
 *   parent is gone.
 * - Reading costs a program run (`ps` about 20 ms, PowerShell about half a second), so calls share one reading. The
 *   identity check before a signal is as old as that reading takes. On Windows readings are half a second apart,
 *   because systeminformation repeats its answer for so long. `inspect` and `exists` may answer from a reading of a
 *   moment ago (100 ms, on Windows 1.5 s) for a process that is still there; its end is noticed at once.
 * - Where a process waits, its threads, command line, working directory, exit status and OOM kills are not known:
 *   undefined, or null for the kills.
 * - Windows has no signals: SIGTERM, SIGKILL, SIGINT and SIGQUIT all end a process at once (TerminateProcess), which
 *   cannot catch or ignore them; SIGSTOP and SIGCONT do not exist (`denied`), and no process is ever stopped or a
 *   zombie.
 *
 * It works on Linux too, which is where its tests run.
 */
export class SystemProcessTable implements ProcessTable {
  readonly #protected: ProtectedPids
  readonly #reader = new TableReader()

  constructor(options: SystemProcessTableOptions = {}) {
    this.#protected = options.protectedPids ?? new ProtectedPids()
  }

  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    if (!pidIsTaken(pid)) return undefined
    return (await this.#reader.byPid()).get(pid)?.identity
  }

  async exists(identity: ProcessIdentity): Promise<boolean> {
    return (await this.inspect(identity)) !== undefined
  }

  async inspect(identity: ProcessIdentity): Promise<ProcessRow | undefined> {
    if (!pidIsTaken(identity.pid)) return undefined
    const row = await this.#reader.recentRow(identity.pid)
    // Checked again, because the process may have ended after the reading.
    return row !== undefined && isSameStart(row.identity, identity) && pidIsTaken(identity.pid) ? row : undefined
  }

  signalMasks(): Promise<SignalMasks | undefined> {
    return Promise.resolve(undefined)
  }

  waits(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  threadWaits(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  commandLine(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  workingDirectory(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  hasOpen(): Promise<boolean> {
    return Promise.resolve(false)
  }

  exitStatus(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  oomKills(): Promise<null> {
    return Promise.resolve(null)
  }

  async list(): Promise<ProcessRow[]> {
    return [...(await this.#reader.byPid()).values()]
  }

  async descendants(roots: readonly DescendantRoot[]): Promise<Map<number, ProcessRow[]>> {
    const byPid = await this.#reader.byPid()
    // With the start time as the rows have it, for roots that still exist.
    const current = roots.map((root) => {
      const row = byPid.get(root.identity.pid)
      return row !== undefined && isSameStart(row.identity, root.identity) ? { ...root, identity: row.identity } : root
    })
    return findDescendants([...byPid.values()], current, {
      markers: new Map(),
      startOf: startSecondsOf,
      slack: startSlackSeconds,
      self: process.pid,
    })
  }

  async usage(identities: readonly ProcessIdentity[]): Promise<Map<number, ProcessUsage>> {
    const usages = new Map<number, ProcessUsage>()
    const readings = await readWithPidusage(identities.map((identity) => identity.pid))
    for (const identity of identities) {
      const reading = readings.get(identity.pid)
      if (reading === undefined) continue
      if (Math.abs(startSecondsOf(identity) - reading.startedAtMs / 1000) > startSlackSeconds) continue
      usages.set(identity.pid, { identity, cpuTimeMs: reading.cpuTimeMs, memoryBytes: reading.memoryBytes })
    }
    return usages
  }

  async signal(identity: ProcessIdentity, signal: NodeJS.Signals | number): Promise<SignalOutcome> {
    if (this.#protected.has(identity.pid)) return 'protected'
    if (!pidIsTaken(identity.pid)) return 'gone'
    const row = (await this.#reader.byPid()).get(identity.pid)
    // Nothing is awaited from here to the signal.
    if (row === undefined) return 'gone'
    if (!isSameStart(row.identity, identity)) return 'reused'
    if (process.platform === 'win32' && (signal === 'SIGSTOP' || signal === 'SIGCONT')) return 'denied'
    return sendSignal(identity.pid, signal)
  }
}

/** Whether any process has the pid right now; costs one system call, no reading of the table. */
function pidIsTaken(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
