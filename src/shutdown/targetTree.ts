import { setImmediate } from 'node:timers/promises'
import type { ProcessIdentity, ProcessTable } from '../processes'
import { foresee } from './foreseen'
import { keyOf } from './killLedger'
import type { SurvivingDescendant } from './shutdownHistory'
import { TrackedProcess } from './trackedProcess'
import type { FormerWorker, ShutdownTarget } from './types'

/** Processes handled before the event loop turns again; 100 reads of /proc take about 1 ms. */
const chunkSize = 100

/** Everything a shutdown is about: the targets, and whatever descends from them, now or later. */
export class TargetTree {
  readonly #formerWorkers: readonly FormerWorker[]
  readonly #processes: ProcessTable
  /** The signal that comes first, to foresee what it will do. */
  readonly #firstSignal: NodeJS.Signals
  readonly #elapsedMs: () => number

  readonly workers: readonly TrackedProcess[]
  /** Why the last look for descendants failed. */
  lookFailure: string | undefined
  readonly #members = new Map<string, TrackedProcess>()
  #begunAtMs = Infinity
  #capturing = true
  /** A look that was made when nobody lived any more found nobody else: there is nobody left to fork. */
  #extinct = false

  constructor(
    targets: readonly ShutdownTarget[],
    formerWorkers: readonly FormerWorker[],
    processes: ProcessTable,

    firstSignal: NodeJS.Signals,
    elapsedMs: () => number,
  ) {
    this.#formerWorkers = formerWorkers
    this.#processes = processes
    this.#firstSignal = firstSignal
    this.#elapsedMs = elapsedMs

    for (const target of targets) {
      // The same worker twice is one worker.
      if (!this.#members.has(keyOf(target.identity)))
        this.#add(new TrackedProcess(target.identity, target.name, undefined, target))
    }
    this.workers = [...this.#members.values()]
  }

  get members(): readonly TrackedProcess[] {
    return [...this.#members.values()]
  }

  /** When somebody was first asked or signalled; whoever died before that died of something else. */
  get begunAtMs(): number {
    return this.#begunAtMs
  }

  /** Notes that somebody was asked or signalled. */
  begin(): void {
    this.#begunAtMs = Math.min(this.#begunAtMs, this.#elapsedMs())
  }

  /** Members that live and may be signalled. */
  get alive(): TrackedProcess[] {
    return this.members.filter((member) => !member.over && member.refused === undefined)
  }

  /** Who is there before the first signal, with what earlier shutdowns left. */
  async capture(survivors: readonly SurvivingDescendant[]): Promise<void> {
    for (const { identity, descendantOf } of survivors) this.#addDescendant(identity, descendantOf)
    await this.refresh(this.members)
    for (const member of this.members) member.foundDead = member.state === 'zombie' && !member.gone
    await this.recapture()
    this.#link(this.members, new Map())
    await this.#foresee(this.members)
    this.#capturing = false
  }

  /** Looks for descendants that are new since the last look; true when it found a living one. */
  async recapture(): Promise<boolean> {
    if (this.#extinct) return false
    const nobodyLived = this.members.every((member) => member.over)
    const roots = [
      ...this.#formerWorkers.map((worker) => ({ ...worker, of: worker.name })),
      ...this.members.flatMap(rootOf),
    ]
    if (roots.length === 0) {
      this.#extinct = true
      return false
    }
    const below = await this.#lookBelow(roots)
    const found: TrackedProcess[] = []
    const foundBelow = new Map<TrackedProcess, ProcessIdentity>()
    for (const { identity, of } of roots) {
      for (const row of below.get(identity.pid) ?? []) {
        if (this.#members.has(keyOf(row.identity))) continue
        const descendant = this.#addDescendant(row.identity, of)
        descendant.observe(row, this.#elapsedMs())
        descendant.foundDead = descendant.over
        found.push(descendant)
        foundBelow.set(descendant, identity)
      }
    }
    this.#link(found, foundBelow)
    if (!this.#capturing) await this.#foresee(found)
    const foundAlive = found.some((descendant) => !descendant.over)
    this.#extinct = nobodyLived && !foundAlive
    return foundAlive
  }

  /**
   * Notes who is above each: its parent when it was first seen; else, as it was re-parented before, whoever it was
   * found below, or the program that its target names.
   */
  #link(members: readonly TrackedProcess[], foundBelow: ReadonlyMap<TrackedProcess, ProcessIdentity>): void {
    const byPid = new Map(this.members.filter(({ gone }) => !gone).map((member) => [member.identity.pid, member]))
    for (const member of members) {
      if (member.above !== undefined) continue
      const program = foundBelow.get(member) ?? member.target?.below
      const above = byPid.get(member.parentPid) ?? (program && this.#members.get(keyOf(program)))
      if (above !== member) member.above = above
    }
  }

  /** A look that fails does not stop the shutdown of those who are known: it is said in the issues. */
  async #lookBelow(roots: Parameters<ProcessTable['descendants']>[0]): ReturnType<ProcessTable['descendants']> {
    try {
      const below = await this.#processes.descendants(roots)
      this.lookFailure = undefined
      return below
    } catch (error) {
      this.lookFailure = error instanceof Error ? error.message : String(error)
      return new Map()
    }
  }

  /** Looks at these processes again. */
  async refresh(members: readonly TrackedProcess[]): Promise<void> {
    await this.inChunks(members, async (member) => {
      if (member.gone) return
      member.observe(await this.#processes.inspect(member.identity), this.#elapsedMs())
    })
  }

  /** Does something with many processes at once, and lets the event loop turn now and then. */
  async inChunks(members: readonly TrackedProcess[], act: (member: TrackedProcess) => Promise<void>): Promise<void> {
    for (let start = 0; start < members.length; start += chunkSize) {
      if (start > 0) await setImmediate()
      await Promise.all(members.slice(start, start + chunkSize).map(act))
    }
  }

  async #foresee(members: readonly TrackedProcess[]): Promise<void> {
    await this.inChunks(members, async (member) => {
      if (member.gone) return
      if (this.#firstSignal !== 'SIGKILL') member.masks = await this.#processes.signalMasks(member.identity)
      member.foreseen.push(...foresee(member.state, member.masks, this.#firstSignal))
    })
  }

  #addDescendant(identity: ProcessIdentity, descendantOf: string): TrackedProcess {
    const known = this.#members.get(keyOf(identity))
    return known ?? this.#add(new TrackedProcess(identity, `child of ${descendantOf}`, descendantOf))
  }

  #add(member: TrackedProcess): TrackedProcess {
    this.#members.set(keyOf(member.identity), member)
    return member
  }
}

/** A member as a root of descendants; none when nothing could be found from it. */
function rootOf(member: TrackedProcess): { identity: ProcessIdentity; of: string; marker?: string }[] {
  const { identity, target } = member
  const of = member.descendantOf ?? member.name
  if (target?.marker !== undefined) return [{ identity, of, marker: target.marker }]
  return member.gone ? [] : [{ identity, of }]
}
