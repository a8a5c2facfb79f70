import type { ProcessIdentity, ProcessRow, ProcessState, SignalMasks, SignalOutcome } from '../processes'
import type { LedgerSignal, ShutdownOutcome, ShutdownTarget, ShutdownWorkerReport } from './types'

/** Samples in state D, and their span, after which a process counts as hung there: a vfork or a disk read looks the same for a moment. */
const hungSamples = 5
const hungAfterMs = 30

/** One process of a shutdown: what is known of it, what was sent to it, and how it ended. */
export class TrackedProcess {
  readonly foreseen: string[] = []
  readonly sent: { signal: NodeJS.Signals; atMs: number; outcome: SignalOutcome }[] = []
  state: ProcessState = 'unknown'
  command = ''
  parentPid = 0
  masks: SignalMasks | undefined
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
   * How it ended, given every signal that reached it while the shutdown ran, whoever sent it, and when the shutdown first
   * asked or signalled anybody.
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
    return {
      name: this.name,
      pid: this.identity.pid,
      ...(this.descendantOf === undefined ? {} : { descendantOf: this.descendantOf }),
      sent: [...this.sent],
      foreseen: [...this.foreseen],
      outcome: this.outcome(signals, begunAtMs),
      ...(this.endedAfterMs === undefined ? {} : { endedAfterMs: this.endedAfterMs }),
    }
  }

  /** Why it is still there, in words for an issue. */
  why(): string {
    if (this.state === 'zombie') return `dead, but its parent (pid=${this.parentPid}) has not collected it`
    if (this.refused === 'denied') return 'this user may not signal it'
    if (this.refused === 'protected') return 'protected: Unhang never signals it'
    const reached = this.sent.filter(({ outcome }) => outcome === 'sent')
    const last = reached.findLast(({ signal }) => signal !== 'SIGCONT')?.signal
    if (this.state === 'uninterruptible') {
      return `in uninterruptible sleep (state D)${last === 'SIGKILL' ? ' with SIGKILL pending: nothing more can be done from here' : ''}`
    }
    if (last === 'SIGKILL') return 'SIGKILL was sent, the kernel has not finished ending it'
    if (this.foreseen.length > 0) return this.foreseen.join(', ')
    if (last === undefined) return 'started during the shutdown'
    return this.masks?.caught.has(last) === true ? `catches ${last} and goes on` : `goes on after ${last}`
  }
}
