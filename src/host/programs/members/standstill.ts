import type { ProcessWait, SignalMasks } from '../../../processes'
import type { ParentView } from './parentView'
import type { StackThread } from './stackThread'

/**
 * SIGINT is Python's own handler unless an observer tells otherwise; the others are what `faulthandler.enable()`
 * catches before it lets the process die.
 */
const handledWithoutAPlan = new Set<NodeJS.Signals>(['SIGINT', 'SIGSEGV', 'SIGFPE', 'SIGABRT', 'SIGBUS', 'SIGILL'])
const mostTries = 3
const feeder = 'QueueFeederThread'

/**
 * From when on a process waits in one and the same place without having run, and whether anything in it could end that.
 */
export class Standstill {
  #place = ''
  #switches: number | null = null
  #since: number | undefined
  #aloneSince: number | undefined
  #seenAt = 0
  #stoppedSince: number | undefined
  #handlesSignals = true
  /** As its stacks show; undefined until they were taken. */
  #hasOtherThreads: boolean | undefined
  #asked = 0

  /**
   * Where it waits now, null while it moves, with what else was seen then. True when it has moved since the last look:
   * it waits in another place, or has been elsewhere meanwhile.
   */
  observe(
    now: number,
    wait: ProcessWait | null,
    { switches = null, threads = null }: { readonly switches?: number | null; readonly threads?: number | null } = {},
  ): boolean {
    const place = wait === null ? '' : `${wait.kind} ${wait.address ?? ''} ${wait.target ?? ''}`
    this.#seenAt = now
    const isElsewhere = place !== this.#place
    const hasMoved = isElsewhere || switches !== this.#switches
    this.#switches = switches
    if (isElsewhere) this.#asked = 0
    this.#place = place
    if (hasMoved) {
      this.#since = wait === null ? undefined : now
      this.#hasOtherThreads = undefined
    }
    // Its last thread may have woken it right before it ended: only from the next look on it is alone with its wait.
    if (threads !== 1 || wait === null) this.#aloneSince = undefined
    else if (hasMoved || this.#aloneSince === undefined) this.#aloneSince = now
    return hasMoved
  }

  /**
   * Whether it was stopped when the last look began; after {@link observe}, as who has run since the look before was
   * stopped anew.
   */
  observeState(now: number, isStopped: boolean, hasMoved: boolean): void {
    if (!isStopped) this.#stoppedSince = undefined
    else if (hasMoved || this.#stoppedSince === undefined) this.#stoppedSince = now
  }

  /** Milliseconds from the first look that saw it stopped to the last one, if it has not run in between. */
  get stoppedMs(): number {
    return this.#stoppedSince === undefined ? 0 : this.#seenAt - this.#stoppedSince
  }

  /**
   * It has run on our behalf only, to write its stacks, if it had not moved before (`switchesBefore`) and is back now.
   */
  excuse(switchesBefore: number | null, switches: number | null): void {
    if (switchesBefore === this.#switches) this.#switches = switches
  }

  /** When a look first saw it in this wait; undefined while it moves. */
  get waitsSince(): number | undefined {
    return this.#since
  }

  /** Milliseconds from the first look that saw it in this wait to the last one: 0 after a single look. */
  get waitsMs(): number {
    return this.#since === undefined ? 0 : this.#seenAt - this.#since
  }

  /** The part of that in which it was seen to have no other thread. */
  get aloneMs(): number {
    return this.#aloneSince === undefined ? 0 : this.#seenAt - this.#aloneSince
  }

  /** On a busy machine its stacks may not have come in time; asked for in vain again and again, they never will. */
  mayAskAgain(): boolean {
    this.#asked += 1
    return this.#asked < mostTries
  }

  /**
   * A handler may do what everybody waits for. Real-time signals, which have no name here, are glibc's own and the
   * observer's.
   */
  noteSignals({ caught }: SignalMasks): void {
    this.#handlesSignals = [...caught].some((signal) => !handledWithoutAPlan.has(signal))
  }

  noteThreads(threads: readonly StackThread[]): void {
    this.#hasOtherThreads = threads.some((thread) => !thread.current && !isHarmless(thread))
  }

  /** Milliseconds; 0 when something in it may go on by itself, or nobody knows. */
  forMs(now: number, threads: number | null): number {
    const isAlone = this.#hasOtherThreads === false || (this.#hasOtherThreads === undefined && threads === 1)
    return this.#since === undefined || this.#handlesSignals || !isAlone ? 0 : now - this.#since
  }

  /** The same of a process whose observer names its threads. */
  forMsOfParent(now: number, view: ParentView): number {
    // Somebody may be meant to press Ctrl-C: that is how many a server is ended.
    if (view.observed?.ownSigint === true) return 0
    this.#hasOtherThreads =
      !view.answers ||
      view.observed === undefined ||
      view.observed.threads.some(({ name }) => name !== 'MainThread' && name !== feeder)
    return this.forMs(now, null)
  }
}

/** What a queue's `put()` has been given goes out by a thread that only waits for more; and ours only answers. */
function isHarmless({ frames }: StackThread): boolean {
  return frames.some(
    ({ file, function: name }) =>
      (/[/\\]multiprocessing[/\\]queues\.py$/.test(file) && /(^|\.)_feed$/.test(name)) ||
      /[/\\]unhang_observer[/\\]/.test(file),
  )
}
