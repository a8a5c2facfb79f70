import { awaitEnd, isDeaf, pollAfterMs, type EndWatch } from './awaitEnd'
import type { TargetTree } from './targetTree'
import { leavesByTrap } from './shellTrap'
import type { TrackedProcess } from './trackedProcess'
import type { ShutdownRequest, TermStep } from './types'

/** Sends one signal to many processes in this order, through identity check and ledger. */
export type SendSignal = (members: readonly TrackedProcess[], signal: NodeJS.Signals) => Promise<void>

/** What an escalation works with. */
export interface EscalationContext {
  readonly tree: TargetTree
  readonly send: SendSignal
  readonly watch: EndWatch
}

/**
 * A process that got SIGKILL is only still there until the kernel has taken it down, which a large one or a busy
 * machine delays; less than this would report dead processes as alive. It ends early like every wait, and hung
 * processes are not waited for.
 */
const shortestKillWaitMs = 500

/**
 * While killed processes end, new children are looked for this often at most; a look at a busy machine takes as long.
 */
const killLookEveryMs = 25

/** A look this young need not be repeated before a signal. */
const freshLookMs = 10

/** Looking for children takes at most a fifth of the time, however many processes there are. */
const lookShare = 4

/**
 * Python needs some 50 ms to notice, clean up and leave; on a loaded machine many times that. Ended before, it leaves
 * semaphores behind.
 */
const cleansUpWithinMs = 1500

/** What each process is sent: SIGTERM, and SIGKILL where that is allowed. */
export function stepsOf({
  kill,
  termSequence,
  gracePeriodMs,
  useSigkill,
}: Pick<ShutdownRequest, 'kill' | 'termSequence' | 'gracePeriodMs' | 'useSigkill'>): readonly TermStep[] {
  const killStep: TermStep = { signal: 'SIGKILL', waitMs: Math.max(gracePeriodMs, shortestKillWaitMs) }
  if (kill === true) return [killStep]
  if (termSequence !== undefined) return termSequence
  return [{ signal: 'SIGTERM', waitMs: gracePeriodMs }, ...(useSigkill ? [killStep] : [])]
}

/** How far a process is. */
interface Course {
  step: number
  /** Since when this step is waited for. */
  sinceMs: number
  /**
   * It is a shell whose trap leaves it, and runs only once its children have ended: they are not held back for its
   * sake.
   */
  freed: boolean
  askedForTrap: boolean
  /** It has not taken the signal, and will not. */
  deaf: boolean
}

/**
 * Takes every process of the tree through the steps, parents before children: a process gets its first signal when
 * nothing above it can run a statement any more, because every process above it has ended, or SIGKILL has reached it.
 * Otherwise the end of a child would let its parent go on: `wait`, `join()` or `'exit'` returns, and the next line runs
 * with half of the data. Branches go side by side, and each process has its own wait from its own signal on, so 64
 * stubborn workers take as long as one. What is below a process that no allowed step ends gets no signal.
 */
export async function escalate(context: EscalationContext, steps: readonly TermStep[]): Promise<void> {
  const escalation = new Escalation(context, steps)
  await escalation.run((member) => !member.isHelper)
  if (await helpersAreLeft(context, steps)) await escalation.run(() => true)
}

/**
 * Helpers that have not left by themselves, now that all else is gone. While something else is there, it needs them.
 */
async function helpersAreLeft({ tree, watch }: EscalationContext, [first]: readonly TermStep[]): Promise<boolean> {
  const helpers = (): TrackedProcess[] => tree.alive.filter((member) => member.isHelper)
  if (helpers().length === 0 || tree.members.some((member) => !member.isHelper && !member.over && !member.doomed))
    return false
  await awaitEnd(helpers(), Math.max(first?.waitMs ?? 0, cleansUpWithinMs), watch)
  return helpers().length > 0
}

class Escalation {
  readonly #context: EscalationContext
  readonly #steps: readonly TermStep[]

  readonly #courses = new Map<TrackedProcess, Course>()
  #lookedAtMs: number
  #lookTookMs = 0
  #looksUntilMs = Infinity
  #sentAtMs = 0

  constructor(context: EscalationContext, steps: readonly TermStep[]) {
    this.#context = context
    this.#steps = steps

    this.#lookedAtMs = context.watch.elapsedMs()
  }

  /**
   * Until each process that this is about has ended, or has been through all steps, or is held back by one that has.
   */
  async run(concerns: (member: TrackedProcess) => boolean): Promise<void> {
    const { watch } = this.#context
    this.#looksUntilMs = watch.elapsedMs() + this.#longestMs()
    for (;;) {
      const { due, waiting } = this.#view(concerns)
      if (due.length > 0) {
        await this.#send(due)
        continue
      }
      if (waiting.length === 0) {
        await this.#context.tree.refresh(this.#context.tree.alive)
        // What was started meanwhile has had nothing yet, and what held others back may just have ended.
        if ((await this.#look()) || this.#view(concerns).due.length > 0) continue
        return
      }
      if (waiting.some((member) => member.doomed) && this.#lookIsDue(killLookEveryMs)) await this.#look()
      await this.#wait(waiting)
    }
  }

  /**
   * Every level of the tree may take all waits, twice where a parent waits for its children; and once more for what is
   * new.
   */
  #longestMs(): number {
    const levels = this.#context.tree.members.reduce((most, member) => Math.max(most, member.level), 1)
    return (levels + 1) * 2 * this.#steps.reduce((sum, { waitMs }) => sum + waitMs, shortestKillWaitMs)
  }

  /** Who is to be sent the next step now, parents first, and who is being waited for. */
  #view(concerns: (member: TrackedProcess) => boolean): {
    due: { member: TrackedProcess; step: number }[]
    waiting: TrackedProcess[]
  } {
    const alive = this.#context.tree.alive.filter(concerns)
    const holders = new Set(alive.map((member) => this.#holderOf(member)))
    const due: { member: TrackedProcess; step: number }[] = []
    const waiting: TrackedProcess[] = []
    for (const member of alive) {
      const course = this.#courses.get(member)
      if (course === undefined) {
        if (!member.spared && this.#holderOf(member) === undefined) due.push({ member, step: 0 })
      } else if (!this.#isOver(member, course, holders.has(member))) {
        waiting.push(member)
      } else if (course.step + 1 < this.#steps.length) {
        due.push({ member, step: course.step + 1 })
      }
    }
    return { due: due.sort((one, other) => one.member.level - other.member.level), waiting }
  }

  /** The nearest process above it for whose sake it gets no signal yet. */
  #holderOf(member: TrackedProcess): TrackedProcess | undefined {
    const { holder } = member
    return holder !== undefined && this.#courses.get(holder)?.freed === true ? undefined : holder
  }

  /** Whether its step has been waited for, or need not be. */
  #isOver(member: TrackedProcess, { step, sinceMs, freed, deaf }: Course, holds: boolean): boolean {
    const { signal, waitMs } = this.#step(step)
    const escalates = step + 1 < this.#steps.length
    // What is known not to react is not waited for where another step follows. Nor is what hangs in the kernel, but for
    // the sake of what it holds back: on a busy disk it looks the same for a while.
    if (deaf || (member.hung && (escalates || !holds)) || (escalates && member.masks?.ignored.has(signal) === true))
      return true
    // A parent that handles the last signal has the time of its children, too: they wait for it, and would have had a
    // wait of their own.
    const waits = !escalates && holds && !freed && member.masks?.caught.has(signal) === true ? 2 : 1
    return this.#context.watch.elapsedMs() - sinceMs >= waits * waitMs
  }

  async #send(due: readonly { member: TrackedProcess; step: number }[]): Promise<void> {
    const { send, watch } = this.#context
    // What these have started meanwhile may be found no more once they are gone. To kill comes first: a look takes time
    // to fork in.
    const begins = due.some(({ member, step }) => !this.#courses.has(member) && this.#step(step).signal !== 'SIGKILL')
    if (begins && this.#lookIsDue(freshLookMs) && (await this.#look())) return
    for (const [step, members] of groupByStep(due)) {
      await send(members, this.#step(step).signal)
      for (const member of members)
        this.#courses.set(member, { step, sinceMs: watch.elapsedMs(), freed: false, deaf: false, askedForTrap: false })
    }
    this.#sentAtMs = watch.elapsedMs()
  }

  async #wait(waiting: readonly TrackedProcess[]): Promise<void> {
    await this.#pause(waiting)
    // Before the next step takes the place of a trap.
    const holders = new Set(this.#context.tree.alive.map((member) => this.#holderOf(member)))
    await Promise.all(
      waiting.filter((member) => !member.over && holders.has(member)).map((member) => this.#freeChildren(member)),
    )
  }

  async #pause(waiting: readonly TrackedProcess[]): Promise<void> {
    const { tree, watch } = this.#context
    const startMs = watch.elapsedMs()
    await tree.refresh(tree.alive)
    const lookedForMs = watch.elapsedMs() - startMs
    await Promise.all(waiting.map((member) => this.#noteDeaf(member)))
    const still = waiting.filter((member) => !member.over)
    if (still.length < waiting.length) return
    const leftMs = still.reduce(
      (least, member) => (this.#leftMs(member) > 0 ? Math.min(least, this.#leftMs(member)) : least),
      Infinity,
    )
    // Looking takes at most a fifth of the time, however many there are.
    await watch.sleep(
      Math.min(Math.max(pollAfterMs(watch.elapsedMs() - this.#sentAtMs), lookShare * lookedForMs), leftMs),
    )
  }

  /** Until its step is over, at the earliest. */
  #leftMs(member: TrackedProcess): number {
    const course = this.#courses.get(member)
    return course === undefined ? 0 : course.sinceMs + this.#step(course.step).waitMs - this.#context.watch.elapsedMs()
  }

  /** One that blocks the signal and has not fetched it by now will not, and the next step may come. */
  async #noteDeaf(member: TrackedProcess): Promise<void> {
    const course = this.#courses.get(member)
    if (course === undefined || course.deaf || course.step + 1 >= this.#steps.length) return
    course.deaf = await isDeaf(
      member,
      this.#step(course.step).signal,
      this.#context.watch.elapsedMs() - course.sinceMs,
      this.#context.watch.processes,
    )
  }

  /**
   * Once for each, when its own time is over: a shell runs its trap only after the command in the foreground has ended.
   */
  async #freeChildren(member: TrackedProcess): Promise<void> {
    const course = this.#courses.get(member)
    if (course === undefined || course.askedForTrap || this.#leftMs(member) > 0) return
    course.askedForTrap = true
    const { signal } = this.#step(course.step)
    if (
      member.masks?.caught.has(signal) !== true ||
      !(await leavesByTrap(member.identity, signal, this.#context.watch.processes))
    )
      return
    course.freed = true
    course.sinceMs = this.#context.watch.elapsedMs()
  }

  #step(index: number): TermStep {
    const step = this.#steps[index]
    if (step === undefined) throw new RangeError(`An escalation of ${this.#steps.length} steps has no step ${index}.`)
    return step
  }

  #lookIsDue(everyMs: number): boolean {
    return this.#context.watch.elapsedMs() - this.#lookedAtMs >= Math.max(everyMs, lookShare * this.#lookTookMs)
  }

  /** Looks for processes that were started meanwhile; true when it found a living one. */
  async #look(): Promise<boolean> {
    const { tree, watch } = this.#context
    const startMs = watch.elapsedMs()
    // Something that starts a process for each that ends would go on for ever. Those who are known are taken to their
    // end all the same.
    if (startMs >= this.#looksUntilMs) return false
    const found = await tree.recapture()
    this.#lookedAtMs = watch.elapsedMs()
    this.#lookTookMs = this.#lookedAtMs - startMs
    return found
  }
}

function groupByStep(due: readonly { member: TrackedProcess; step: number }[]): Map<number, TrackedProcess[]> {
  const groups = new Map<number, TrackedProcess[]>()
  for (const { member, step } of due) {
    const group = groups.get(step)
    if (group === undefined) groups.set(step, [member])
    else group.push(member)
  }
  return groups
}
