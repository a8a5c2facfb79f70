import { uptime } from 'node:os'
import { findDescendants, type DescendantRoot } from '../descendants'
import { ProtectedPids } from '../protectedPids'
import { forEachInSlices } from '../slices'
import {
  mostThreads,
  type ExitStatus,
  type ProcessIdentity,
  type ProcessRow,
  type ProcessTable,
  type ProcessUsage,
  type ProcessWait,
  type SignalMasks,
  type SignalOutcome,
  type ThreadWait,
} from '../types'
import { sendSignal } from '../sendSignal'
import { CommandLines } from './commandLines'
import { parseExitStatus } from './exitStatus'
import { readKernelConstants, type KernelConstants } from './kernel'
import { MarkerReader } from './markers'
import { OpenStats } from './openStats'
import { OomKills } from './oomKills'
import { listProc, readProcFile, readProcLink } from './procFile'
import { isOfBoot, startTicksOf, startTimeFromTicks } from './startTicks'
import { parseProcStat, type ProcStat } from './stat'
import { parseSignalMasks, parseSwitches, parseThreads } from './status'
import { parseWait } from './wait'

/** How a {@link LinuxProcessTable} is made. */
export interface LinuxProcessTableOptions {
  readonly protectedPids?: ProtectedPids
}

/** The process table of Linux, read from /proc. */
export class LinuxProcessTable implements ProcessTable {
  readonly #protected: ProtectedPids
  readonly #markers = new MarkerReader()
  readonly #openStats = new OpenStats()
  readonly #commandLines = new CommandLines()
  readonly #oomKills = new OomKills()
  #kernel: KernelConstants | undefined

  constructor(options: LinuxProcessTableOptions = {}) {
    this.#protected = options.protectedPids ?? new ProtectedPids()
  }

  identify(pid: number): Promise<ProcessIdentity | undefined> {
    const stat = this.#stat(pid)
    return Promise.resolve(stat && this.#identityOf(stat))
  }

  exists(identity: ProcessIdentity): Promise<boolean> {
    return Promise.resolve(this.#statOf(identity) !== undefined)
  }

  inspect(identity: ProcessIdentity): Promise<ProcessRow | undefined> {
    const stat = this.#statOf(identity)
    return Promise.resolve(stat && this.#rowOf(stat))
  }

  signalMasks(identity: ProcessIdentity): Promise<SignalMasks | undefined> {
    const text = readProcFile(`/proc/${identity.pid}/status`)?.toString('latin1')
    // Checked after the read: whoever has the pid now had it then.
    if (text === undefined || this.#statOf(identity) === undefined) return Promise.resolve(undefined)
    return Promise.resolve(parseSignalMasks(text))
  }

  waits(identity: ProcessIdentity): ReturnType<ProcessTable['waits']> {
    const folder = `/proc/${identity.pid}`
    const wait = readWait(folder)
    const status = readProcFile(`${folder}/status`)?.toString('latin1') ?? ''
    const threads = parseThreads(status)
    const stat = this.#statOf(identity)
    return Promise.resolve(
      threads === undefined || stat === undefined || stat.state === 'zombie'
        ? undefined
        : { threads, wait, switches: parseSwitches(status) },
    )
  }

  threadWaits(identity: ProcessIdentity): Promise<readonly ThreadWait[] | undefined> {
    const folder = `/proc/${identity.pid}/task`
    const threads = listProc(folder)
    const others = threads.length > mostThreads ? [] : threads.filter((thread) => thread !== String(identity.pid))
    const waits = others.map((thread) => ({
      ...readWait(`${folder}/${thread}`),
      switches: parseSwitches(readProcFile(`${folder}/${thread}/status`)?.toString('latin1') ?? ''),
    }))
    const stat = this.#statOf(identity)
    return Promise.resolve(stat === undefined || stat.state === 'zombie' ? undefined : waits)
  }

  async commandLine(identity: ProcessIdentity): Promise<readonly string[] | undefined> {
    const row = await this.inspect(identity)
    const args = row && (await this.#commandLines.read(row))
    return this.#statOf(identity) === undefined ? undefined : args
  }

  workingDirectory(identity: ProcessIdentity): Promise<string | undefined> {
    const directory = readProcLink(`/proc/${identity.pid}/cwd`)
    return Promise.resolve(this.#statOf(identity) === undefined ? undefined : directory)
  }

  hasOpen(identity: ProcessIdentity, path: string): Promise<boolean> {
    const folder = `/proc/${identity.pid}/fd`
    const has = listProc(folder).some((name) => readProcLink(`${folder}/${name}`) === path)
    return Promise.resolve(has && this.#statOf(identity) !== undefined)
  }

  exitStatus(identity: ProcessIdentity): Promise<ExitStatus | undefined> {
    const stat = readProcFile(`/proc/${identity.pid}/stat`)?.toString('latin1')
    const status = readProcFile(`/proc/${identity.pid}/status`)?.toString('latin1')
    if (stat === undefined || status === undefined || this.#statOf(identity) === undefined)
      return Promise.resolve(undefined)
    return Promise.resolve(parseExitStatus(stat, status, process.geteuid?.() ?? -1))
  }

  oomKills(identity: ProcessIdentity): Promise<number | null> {
    const key = `${identity.pid} ${identity.startTime}`
    return Promise.resolve(this.#oomKills.count(identity.pid, key, () => this.#statOf(identity) !== undefined))
  }

  async list(): Promise<ProcessRow[]> {
    const rows: ProcessRow[] = []
    await forEachInSlices(listProc(), (name) => {
      const first = name.charCodeAt(0)
      if (first < 0x30 || first > 0x39) return
      const stat = this.#stat(Number(name))
      if (stat !== undefined) rows.push(this.#rowOf(stat))
    })
    return rows
  }

  async descendants(roots: readonly DescendantRoot[]): Promise<Map<number, ProcessRow[]>> {
    const rows = await this.list()
    return findDescendants(rows, roots, {
      markers: await this.#readMarkers(rows, roots),
      startOf: startTicksOf,
      slack: 0,
      self: process.pid,
    })
  }

  usage(identities: readonly ProcessIdentity[]): Promise<Map<number, ProcessUsage>> {
    return this.#openStats.read(identities, this.#constants())
  }

  signal(identity: ProcessIdentity, signal: NodeJS.Signals | number): Promise<SignalOutcome> {
    if (this.#protected.has(identity.pid)) return Promise.resolve('protected')
    // Between here and the signal there is no await: the check and the kill are one synchronous step.
    const current = this.#stat(identity.pid)
    if (current === undefined) return Promise.resolve('gone')
    if (this.#startTimeOf(current) !== identity.startTime) return Promise.resolve('reused')
    return Promise.resolve(sendSignal(identity.pid, signal))
  }

  async #readMarkers(rows: readonly ProcessRow[], roots: readonly DescendantRoot[]): Promise<Map<number, string>> {
    const marked = roots.filter(
      (root) => root.marker !== undefined && isOfBoot(root.identity, this.#constants().bootId),
    )
    if (marked.length === 0) return new Map()
    const candidates = reparentedSince(
      rows,
      marked.map((root) => startTicksOf(root.identity)),
    )
    const nowTicks = uptime() * this.#constants().ticksPerSecond
    const ageMs = (row: ProcessRow): number =>
      ((nowTicks - startTicksOf(row.identity)) * 1000) / this.#constants().ticksPerSecond
    const markers = await this.#markers.read(candidates, ageMs)
    this.#markers.forgetAllBut(rows)
    return markers
  }

  #constants(): KernelConstants {
    return (this.#kernel ??= readKernelConstants())
  }

  #stat(pid: number): ProcStat | undefined {
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
    const bytes = readProcFile(`/proc/${pid}/stat`)
    return bytes && parseProcStat(bytes)
  }

  #statOf(identity: ProcessIdentity): ProcStat | undefined {
    const stat = this.#stat(identity.pid)
    return stat !== undefined && this.#startTimeOf(stat) === identity.startTime ? stat : undefined
  }

  #startTimeOf(stat: ProcStat): string {
    return startTimeFromTicks(this.#constants().bootId, stat.startTicks)
  }

  #identityOf(stat: ProcStat): ProcessIdentity {
    return { pid: stat.pid, startTime: this.#startTimeOf(stat) }
  }

  #rowOf(stat: ProcStat): ProcessRow {
    return {
      identity: this.#identityOf(stat),
      parentPid: stat.parentPid,
      processGroup: stat.processGroup,
      session: stat.session,
      state: stat.state,
      command: stat.command,
    }
  }
}

/** Of a thread's folder, or of a process's, which is its main thread's. */
function readWait(folder: string): ProcessWait {
  return parseWait({
    wchan: readProcFile(`${folder}/wchan`)?.toString('latin1'),
    systemCall: readProcFile(`${folder}/syscall`)?.toString('latin1'),
    architecture: process.arch,
    target: (descriptor) => readProcLink(`${folder}/fd/${descriptor}`),
  })
}

/**
 * Those that may be re-parented descendants of roots that started at these times; to read the environment of every
 * process would be a hundred times as much. They are no older than the first root, and their parent is older than the
 * last: init, or a subreaper, which is always an ancestor. (What is below them has them for a parent.) This process is
 * neither, unless it is init.
 */
function reparentedSince(rows: readonly ProcessRow[], rootStarts: readonly number[]): ProcessRow[] {
  const first = rootStarts.reduce((least, start) => Math.min(least, start), Infinity)
  const last = rootStarts.reduce((most, start) => Math.max(most, start), -Infinity)
  const starts = new Map(rows.map((row) => [row.identity.pid, startTicksOf(row.identity)]))
  return rows.filter((row) => {
    if (startTicksOf(row.identity) < first) return false
    if (row.parentPid === process.pid && process.pid !== 1) return false
    return (starts.get(row.parentPid) ?? -Infinity) <= last
  })
}
