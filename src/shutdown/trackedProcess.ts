import type { ProcessIdentity, ProcessRow, ProcessState, SignalMasks } from '../processes'
import type { LedgerSignal, SentSignal, ShutdownOutcome, ShutdownTarget, ShutdownWorkerReport } from './types'

/**
 * Samples in state D, and their span, after which a process counts as hung there: a vfork or a disk read looks the same
 * for a moment.
 */
const hungSamples = 5
const hungAfterMs = 30

/** One process of a shutdown: what is known of it, what was sent to it, and how it ended. */
export class TrackedProcess {
  readonly foreseen: string[] = []
  readonly sent: SentSignal[] = []
  state: ProcessState = 'unknown'
  command = ''
  parentPid = 0
  masks: SignalMasks | undefined
  /**
   * The process of this shutdown that it was started by, or belongs to, when it was first seen: what may go on when
   * this one ends.
   */
  above: TrackedProcess | undefined
  /** It had its signals before, and gets none. */
  spared = false
  /** A zombie when it was first seen. */
  foundDead = false
  /** Gone from the process table (or its pid is another's). */
  gone = false
  endedAfterMs: number | undefined
  /** The kernel or we ourselves refuse to signal it; trying again would not help. */
  refused: 'denied' | 'protected' | undefined
  /** Another shutdown, running at the same time, sent SIGTERM (or the like) on our behalf too. */
  readonly joined = new Set<NodeJS.Signals>()
  #collected = false
  #observedAtMs = -Infinity
  #hungSamples = 0
  #hungSinceMs = 0

  constructor(
    readonly identity: ProcessIdentity,
    readonly name: string,
    readonly descendantOf?: string,
    readonly target?: ShutdownTarget,
  ) {}

  /** Dead: gone, or a zombie, which no signal reaches. */
  get over(): boolean {
    return this.gone || this.state === 'zombie'
  }

  /** SIGKILL has reached it: whatever happens from here on, it runs no further statement. */
  get doomed(): boolean {
    return (
      this.joined.has('SIGKILL') || this.sent.some(({ signal, outcome }) => signal === 'SIGKILL' && outcome === 'sent')
    )
  }

  get isHelper(): boolean {
    return this.target?.helper === true
  }

  /** The processes above it, the nearest first. Helpers are left out: they run no statement of the program. */
  *ancestors(): Generator<TrackedProcess> {
    const seen = new Set<TrackedProcess>([this])
    // The set ends a circle, which a table read while pids are reused might show.
    for (let next = this.above; next !== undefined && !seen.has(next); next = next.above) {
      seen.add(next)
      if (!next.isHelper) yield next
    }
  }

  /** 1 for a process with none above it, 2 for its children, and so on. */
  get level(): number {
    return [...this.ancestors()].length + 1
  }

  /** The nearest process above it that could still run a statement. */
  get holder(): TrackedProcess | undefined {
    for (const ancestor of this.ancestors()) if (!ancestor.over && !ancestor.doomed) return ancestor
    return undefined
  }

  /** Asleep in the kernel for so many samples that waiting for it is pointless. */
  get hung(): boolean {
    return this.#hungSamples >= hungSamples
  }

  /** Takes in what the process table says now. */
  observe(row: ProcessRow | undefined, atMs: number): void {
    const wasOver = this.over
    this.#observedAtMs = atMs
    if (row === undefined) {
      this.gone = true
    } else {
      this.state = row.state
      this.command = row.command
      this.parentPid = row.parentPid
      this.#countHung(atMs)
    }
    if (this.over && !wasOver) this.endedAfterMs ??= atMs
  }

  /** How long ago it was last looked at. */
  observedBeforeMs(nowMs: number): number {
    return nowMs - this.#observedAtMs
  }

  /** Our own child was collected: it is gone, and its owner has heard of it. */
  collect(atMs: number): void {
    this.#collected = true
    this.gone = true
    this.endedAfterMs ??= atMs
  }

  /** Dead, and a child of ours that Node has yet to collect, or to tell its owner of. */
  get awaitsCollection(): boolean {
    if (!this.over || this.#collected) return false
    return this.target?.exited !== undefined || (!this.gone && this.parentPid === process.pid)
  }

  #countHung(atMs: number): void {
    if (this.state !== 'uninterruptible') {
      this.#hungSamples = 0
      return
    }
    if (this.#hungSamples === 0) this.#hungSinceMs = atMs
    // The last sample counts only once the span is reached too.
    if (this.#hungSamples < hungSamples - 1 || atMs - this.#hungSinceMs >= hungAfterMs) this.#hungSamples++
    if (this.hung && !this.foreseen.includes('uninterruptible')) this.foreseen.push('uninterruptible')
  }

  /**
   * How it ended, given every signal that reached it while the shutdown ran, whoever sent it, and when the shutdown
   * first asked or signalled anybody.
   */
  outcome(signals: ReadonlySet<LedgerSignal>, begunAtMs: number): ShutdownOutcome {
    if (this.over) {
      if (this.foundDead) return this.gone ? 'already-gone' : 'zombie'
      if (signals.has('SIGKILL')) return 'killed'
      if ([...signals].some((signal) => signal !== 'SIGCONT')) return 'terminated'
      return (this.endedAfterMs ?? 0) < begunAtMs ? 'already-gone' : 'exited'
    }
    if (this.refused === 'denied') return 'denied'
    if (this.state === 'uninterruptible' && signals.has('SIGKILL')) return 'unkillable'
    return 'alive'
  }

  report(signals: ReadonlySet<LedgerSignal>, begunAtMs: number): ShutdownWorkerReport {
    const { heldBackBy } = this
    return {
      name: this.name,
      pid: this.identity.pid,
      ...(this.descendantOf === undefined ? {} : { descendantOf: this.descendantOf }),
      sent: [...this.sent],
      foreseen: [...this.foreseen],
      outcome: this.outcome(signals, begunAtMs),
      ...(this.endedAfterMs === undefined ? {} : { endedAfterMs: this.endedAfterMs }),
      ...(heldBackBy === undefined ? {} : { heldBackBy: { name: heldBackBy.name, pid: heldBackBy.identity.pid } }),
    }
  }

  /** The process for whose sake it got no signal at all: the highest above it that is still there. */
  get heldBackBy(): TrackedProcess | undefined {
    if (this.over || this.refused !== undefined || this.sent.length > 0 || this.spared) return undefined
    return [...this.ancestors()].findLast((ancestor) => !ancestor.over && !ancestor.doomed)
  }

  /** Why it is still there, in words for an issue. */
  why(): string {
    if (this.state === 'zombie') return `dead, but its parent (pid=${this.parentPid}) has not collected it`
    if (this.refused === 'denied') return 'this user may not signal it'
    if (this.refused === 'protected') return 'protected: Unhang never signals it'
    const { heldBackBy } = this
    if (heldBackBy !== undefined)
      return (
        `got no signal, as ${heldBackBy.name} (pid=${heldBackBy.identity.pid}) is still there and would go on with ` +
        'its next line'
      )
    const reached = this.sent.filter(({ outcome }) => outcome === 'sent')
    const last = reached.findLast(({ signal }) => signal !== 'SIGCONT')?.signal
    if (this.state === 'uninterruptible') {
      return last === 'SIGKILL'
        ? 'in uninterruptible sleep (state D) with SIGKILL pending: nothing more can be done from here'
        : 'in uninterruptible sleep (state D)'
    }
    if (last === 'SIGKILL') return 'SIGKILL was sent, the kernel has not finished ending it'
    if (this.foreseen.length > 0) return this.foreseen.join(', ')
    if (last === undefined) return this.spared ? 'goes on after its signal' : 'started during the shutdown'
    return this.masks?.caught.has(last) === true ? `catches ${last} and goes on` : `goes on after ${last}`
  }
}
