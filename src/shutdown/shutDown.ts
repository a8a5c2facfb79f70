import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, signalNumber, type ProcessIdentity, type ProcessTable, type SignalOutcome } from '../processes'
import { askPass } from './askPass'
import type { EndWatch } from './awaitEnd'
import { escalate, stepsOf } from './escalation'
import { TargetTree } from './targetTree'
import { issuesOf } from './issues'
import { keyOf, type KillLedger } from './killLedger'
import { sharedHistory, type ShutdownHistory } from './shutdownHistory'
import type { TrackedProcess } from './trackedProcess'
import type { LedgerSignal, ShutdownReport, ShutdownRequest } from './types'

/** What a shutdown works on. */
export interface ShutdownDependencies {
  readonly processes: ProcessTable
  readonly ledger: KillLedger
  /** What shutdowns know of each other. Default: one for all shutdowns of this process. */
  readonly memory?: ShutdownHistory
}

/**
 * A look at a process that is this young need not be repeated before a signal: it only tells zombies and stopped ones.
 */
const freshMs = 5

/** What handles its signal for longer than this may have gone on for good. */
const laterWithinMs = 60_000

/** What a shutdown has left to do. */
interface Rest {
  /** Those who still handle their signal, and hold others back. */
  readonly holders: readonly ProcessIdentity[]
  /**
   * Something is there that got no signal and that nothing holds back: it was started, or came free, in the last
   * moment.
   */
  readonly isFree: boolean
}

/** One look at one process. */
const laterLookMs = 250

/** A process that was continued is back in its system call by then, also on a busy machine. */
const settlesMs = 30

/** How long Node gets to collect our own children that are dead. */
const collectMs = 50

/**
 * The one shutdown core: every terminate and kill, of a pool, a program, a worker, a task or an orphan, ends here. It
 * stops the refill, captures the targets with their descendants, asks those that have a channel (at most
 * `gracePeriodMs`), and then takes every process through SIGTERM, and SIGKILL with `useSigkill`, parents before
 * children; see {@link ShutdownRequest} for what replaces that, and README.md for the order and its reasons. Branches
 * go side by side, so 64 stubborn workers take as long as one: each process has `gracePeriodMs` from its own signal on
 * (twice that if it handles the last signal and has children, which wait for it), and after SIGKILL up to 500 ms where
 * the kernel is slow.
 *
 * Only the targets and their proven descendants are signalled, each after its identity was checked in the same tick,
 * and each attempt is in the kill ledger. What could not be ended is in the report; it never rejects for that, only
 * with a RangeError for a request that makes no sense, before anything is done. Calling it twice is safe, also at the
 * same time, and the second call still sees what the first one left.
 */
export async function shutDown(request: ShutdownRequest, dependencies: ShutdownDependencies): Promise<ShutdownReport> {
  checkRequest(request)
  request.stopRefill?.()
  return runOnce(request, dependencies, new Set())
}

/** @param spared Those who had their signals in an earlier run: a second one means "drop everything" to many. */
async function runOnce(
  request: ShutdownRequest,
  dependencies: ShutdownDependencies,
  spared: ReadonlySet<string>,
  untilMs = performance.now() + laterWithinMs,
): Promise<ShutdownReport> {
  const run = new ShutdownRun(request, dependencies)
  try {
    await run.capture(spared)
    await run.passes()
    const report = await run.finish()
    const rest = run.rest()
    if (rest !== undefined)
      void endLater(rest, request, dependencies, new Set([...spared, ...run.signalled()]), untilMs)
    return report
  } finally {
    run.release()
  }
}

/**
 * A process that takes longer than its grace period to wrap up leaves what was held back for its sake: once it has
 * ended, nothing speaks against ending that, as was asked. Nobody waits for this, and it keeps no process alive.
 */
async function endLater(
  { holders, isFree }: Rest,
  request: ShutdownRequest,
  dependencies: ShutdownDependencies,
  spared: ReadonlySet<string>,
  untilMs: number,
): Promise<void> {
  const { processes } = dependencies
  try {
    while (performance.now() < untilMs) {
      await sleep(laterLookMs, undefined, { ref: false })
      const alive = await Promise.all(holders.map((holder) => isAlive(processes, holder)))
      if (!isFree && alive.every(Boolean)) continue
      // The others of them hold back what is theirs, and are waited for again.
      const report = await runOnce(
        { ...request, reason: `${request.reason}; what held it back has ended since` },
        dependencies,
        spared,
        untilMs,
      )
      if (report.workers.some(({ sent }) => sent.length > 0)) request.endedLater?.(report)
      return
    }
  } catch (error) {
    process.emitWarning(
      `What ${request.subject.name} (${request.subject.id}) had left was not ended: ` +
        (error instanceof Error ? error.message : String(error)),
    )
  }
}

function checkRequest({ gracePeriodMs, termSequence = [] }: ShutdownRequest): void {
  const waits = [
    { what: 'gracePeriodMs', ms: gracePeriodMs },
    ...termSequence.map(({ waitMs }) => ({ what: 'waitMs of a step of termSequence', ms: waitMs })),
  ]
  for (const { what, ms } of waits) {
    if (!(ms >= 0)) throw new RangeError(`${what} must be 0 or more milliseconds, but is ${ms}`)
  }
  for (const { signal } of termSequence) {
    if (signalNumber(signal) === undefined)
      throw new RangeError(`termSequence has ${signal}, which is no signal of this system`)
  }
}

class ShutdownRun {
  readonly #request: ShutdownRequest
  readonly #dependencies: ShutdownDependencies

  readonly #startedAt = Date.now()
  readonly #start = performance.now()
  readonly #history: ShutdownHistory
  readonly #tree: TargetTree
  readonly #watch: EndWatch
  #wake: () => void = () => undefined
  #signals = 0

  constructor(request: ShutdownRequest, dependencies: ShutdownDependencies) {
    this.#request = request
    this.#dependencies = dependencies

    const { processes, memory: history = sharedHistory } = dependencies
    // To a tenth of a millisecond: finer would be noise, and this is shown.
    const elapsedMs = (): number => Math.round((performance.now() - this.#start) * 10) / 10
    const firstSignal = stepsOf(request)[0]?.signal ?? 'SIGTERM'
    this.#history = history
    this.#tree = new TargetTree(request.targets, request.formerWorkers ?? [], processes, firstSignal, elapsedMs)
    this.#watch = { tree: this.#tree, processes, elapsedMs, sleep: (ms) => this.#sleep(ms) }
    for (const worker of this.#tree.workers) {
      const collected = (): void => {
        worker.collect(elapsedMs())
        this.#wake()
      }
      worker.target?.exited?.then(collected, collected)
    }
  }

  async capture(spared: ReadonlySet<string>): Promise<void> {
    await this.#tree.capture(this.#history.recall(this.#request.subject.id, this.#targetIdentities()))
    for (const member of this.#tree.members) member.spared = spared.has(keyOf(member.identity))
  }

  async passes(): Promise<void> {
    const request = this.#request
    const tree = this.#tree
    const watch = this.#watch
    if (request.kill !== true) await askPass(request.gracePeriodMs, tree, watch)
    await escalate({ tree, watch, send: (members, signal) => this.#send(members, signal) }, stepsOf(request))
  }

  async finish(): Promise<ShutdownReport> {
    await this.#awaitCollection()
    await this.#tree.recapture()
    await this.#tree.refresh(this.#tree.members)
    const facts = this.#tree.members.map((member) => ({
      report: member.report(this.#signalsThatReached(member), this.#tree.begunAtMs),
      command: member.command,
      why: member.why(),
    }))
    const survivors = this.#tree.members.flatMap((member) =>
      member.over || member.descendantOf === undefined
        ? []
        : [{ identity: member.identity, descendantOf: member.descendantOf }],
    )
    this.#history.remember(this.#request.subject.id, this.#targetIdentities(), survivors)
    return {
      subject: this.#request.subject,
      startedAt: this.#startedAt,
      durationMs: this.#watch.elapsedMs(),
      workers: facts.map(({ report }) => report),
      issues: [...issuesOf(this.#request.subject, facts), ...this.#lookIssues()],
    }
  }

  /** What can still be done after the report; undefined when nothing can. */
  rest(): Rest | undefined {
    const isFree = this.#tree.alive.some(
      (member) =>
        !member.isHelper &&
        !member.spared &&
        member.sent.length === 0 &&
        member.joined.size === 0 &&
        member.holder === undefined,
    )
    const holders = this.#holders()
    return isFree || holders.length > 0 ? { holders, isFree } : undefined
  }

  /** Those who handle their signal for longer than was waited for, and for whose sake others got none. */
  #holders(): readonly ProcessIdentity[] {
    return [...new Set(this.#tree.members.map((member) => member.heldBackBy))].flatMap((holder) => {
      const handles =
        holder?.spared === true ||
        holder?.sent.some(({ signal, outcome }) => outcome === 'sent' && holder.masks?.caught.has(signal) === true)
      return holder !== undefined && handles === true ? [holder.identity] : []
    })
  }

  signalled(): readonly string[] {
    return this.#tree.members
      .filter(({ sent }) => sent.some(({ outcome }) => outcome === 'sent'))
      .map(({ identity }) => keyOf(identity))
  }

  release(): void {
    this.#history.release(
      this,
      this.#tree.members.map((member) => member.identity),
    )
  }

  /** Sends to those that are still there, as seen a moment ago; identity is checked once more with every signal. */
  async #send(members: readonly TrackedProcess[], signal: NodeJS.Signals): Promise<void> {
    const nowMs = this.#watch.elapsedMs()
    await this.#tree.refresh(members.filter((member) => member.observedBeforeMs(nowMs) > freshMs))
    await this.#tree.inChunks(members, async (member) => {
      if (member.over || member.refused !== undefined) return
      if (!repeatable.has(signal) && !this.#history.claim(this, member.identity, signal)) {
        member.joined.add(signal)
        return
      }
      // A stopped process takes nothing but SIGKILL before it is continued; then what is pending comes first: where
      // that ends it, it runs no statement. One that ignores the signal would only run on.
      const isContinued =
        member.state === 'stopped' && !repeatable.has(signal) && member.masks?.ignored.has(signal) !== true
      // While all threads are stopped the kernel prefers none; a handler's signal is to reach the main thread, for
      // which others wait in vain.
      const isContinuedFirst = isContinued && member.masks?.caught.has(signal) === true
      if (isContinuedFirst) {
        await this.#sendOne(member, 'SIGCONT')
        // Until its main thread waits again where it was stopped: only from there the kernel prefers it.
        await sleep(settlesMs)
      }
      const outcome = await this.#sendOne(member, signal)
      if (outcome === 'sent' && isContinued && !isContinuedFirst) await this.#sendOne(member, 'SIGCONT')
    })
  }

  async #sendOne(member: TrackedProcess, signal: NodeJS.Signals): Promise<SignalOutcome> {
    const { processes, ledger } = this.#dependencies
    const outcome = await processes.signal(member.identity, signal)
    member.sent.push({ signal, atMs: this.#watch.elapsedMs(), outcome, order: (this.#signals += 1) })
    ledger.record({
      at: Date.now(),
      identity: member.identity,
      name: member.name,
      subjectId: this.#request.subject.id,
      signal,
      outcome,
      reason: this.#request.reason,
      askedBy: this.#request.askedBy,
    })
    if (outcome === 'sent') this.#tree.begin()
    if (outcome === 'gone' || outcome === 'reused') member.observe(undefined, this.#watch.elapsedMs())
    if (outcome === 'denied' || outcome === 'protected') member.refused = outcome
    return outcome
  }

  /** Gives Node a moment for our own children: the dead ones are zombies until its event loop has turned. */
  async #awaitCollection(): Promise<void> {
    const deadlineMs = this.#watch.elapsedMs() + collectMs
    for (;;) {
      const uncollected = this.#tree.members.filter((member) => member.awaitsCollection)
      if (uncollected.length === 0 || this.#watch.elapsedMs() >= deadlineMs) return
      await this.#sleep(2)
      await this.#tree.refresh(uncollected)
    }
  }

  #signalsThatReached(member: TrackedProcess): Set<LedgerSignal> {
    const signals = new Set<LedgerSignal>(member.joined)
    for (const { signal, outcome } of member.sent) if (outcome === 'sent') signals.add(signal)
    // Another shutdown may have killed meanwhile what this one only terminated.
    for (const { signal, outcome, at } of this.#dependencies.ledger.entriesFor(member.identity)) {
      if (outcome === 'sent' && at >= this.#startedAt) signals.add(signal)
    }
    return signals
  }

  #lookIssues(): string[] {
    const { lookFailure } = this.#tree
    return lookFailure === undefined ? [] : [`descendants could not be looked for: ${lookFailure}`]
  }

  #targetIdentities(): ProcessIdentity[] {
    return this.#request.targets.map((target) => target.identity)
  }

  /** Sleeps, or wakes when one of our own children was collected. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Signals that do no more when they come twice, and that a stopped process need not be continued for. */
const repeatable: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>(['SIGKILL', 'SIGSTOP', 'SIGCONT'])
