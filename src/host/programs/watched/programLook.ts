import { exitNotation, judgeProgramPool, leftBehind, readersAmong, type ProgramPoolFacts } from '../../../diagnosis'
import type { ProcessIdentity } from '../../../processes'
import type { WatchOptions } from '../../../protocol'
import type { ProgramContext } from '../context/programContext'
import { steadyMs } from '../context/steadyTime'
import type { MemberSampler } from '../members/memberSampler'
import type { ProgramMember } from '../members/programMember'
import type { NodeProcesses } from '../observers/nodeProcesses'
import type { WatchSession } from '../observers/watchSession'
import { parentWaits, poolFacts, processFacts } from '../parts/programFacts'
import type { ProgramPart } from '../parts/programPart'
import { takeQuietStacks } from '../stacks/quietStacks'
import type { Membership } from './membership'
import type { ObserversInside } from './observersInside'
import type { RootExit } from './programSnapshot'

/** As the engine's own pools. */
const defaultStuckAfterMs = 30_000
/** Children that no observer reports are found by a pass over the process table, so not at every look. */
const treeEveryMs = 2000
/** And once more in every wait of the program that lasts: before it counts as one without an end. */
const treeAfterMs = 500
/** How long the workers of a program that has ended are given to notice. */
const leavesWithinMs = 1000

/** The parts of a watched program that a look reads. */
export interface LookSources {
  readonly program: ProgramPart
  readonly watch: WatchOptions
  readonly membership: Membership
  readonly observers: ObserversInside
  readonly nodes: NodeProcesses
  readonly session: WatchSession
  readonly sampler: MemberSampler
  readonly context: ProgramContext
  /** How the main process ended; it may end while a look lasts. */
  readonly rootExit: () => RootExit | undefined
  /** False for a signal that means something else to the program. */
  readonly mayAsk: (signal: number) => boolean
}

/** A look at a watched program: who belongs to it, what the kernel says of each process, and the verdicts. */
export class ProgramLook {
  readonly #sources: LookSources
  #treeAt = -Infinity
  /** Looked for once more after the program's end. */
  #isTreeComplete = false

  constructor(sources: LookSources) {
    this.#sources = sources
  }

  /** A program and its pools. */
  get parts(): readonly ProgramPart[] {
    return [this.#sources.program, ...this.#sources.membership.pools]
  }

  /** While the main process runs, as far as is known. */
  async whileRunning(root: ProcessIdentity): Promise<void> {
    const { membership, observers, nodes, sampler, session, context, rootExit, mayAsk } = this.#sources
    await observers.ask()
    await observers.sync(membership)
    membership.syncNotes(nodes.read())
    const now = steadyMs()
    if (now - this.#treeAt > treeEveryMs || this.#mayStandStill()) {
      this.#treeAt = now
      await membership.syncTree(root)
    }
    await membership.noteExits(rootExit())
    await observers.closeGone(membership)
    const awaited = this.#awaitedMembers()
    await sampler.observe(membership.live, observers.connectedOnes(), (member) => awaited.has(member), now)
    await takeQuietStacks(membership.live, { session, context, mayAsk }, now)
    await this.#judge()
    this.#tellChanges()
  }

  /**
   * After the end of the main process: the recorders tell what the workers were in, and a worker that still runs works
   * for no program.
   * @returns The processes that are left, and whether the next look is due soon.
   */
  async afterEnd(root: ProcessIdentity, exit: RootExit): Promise<{ readonly left: number; readonly busy: boolean }> {
    const { membership, observers, nodes, context, program } = this.#sources
    await observers.sync(membership)
    membership.syncNotes(nodes.read())
    // Ended by a signal, the program leaves the processes that it waited for, also those that no look has found.
    if (exit.signal !== null && !this.#isTreeComplete) {
      this.#isTreeComplete = true
      await membership.syncTree(root)
    }
    await membership.noteExits(exit)
    const agoMs = steadyMs() - exit.steadyAt
    const left = membership.live.length
    if (left === 0) return { left, busy: false }
    // Most workers leave on their own when they find that their program is gone.
    if (agoMs >= leavesWithinMs) {
      for (const part of this.parts) {
        const workers = part.members
          .live()
          .map(({ name, pid, recorded }) => ({ name, pid, isWorker: recorded !== undefined }))
        part.judge(
          leftBehind({
            program: program.name,
            pid: root.pid,
            exit: exitNotation(exit.exitCode, exit.signal),
            endedByItself: exit.exitCode !== null,
            agoMs,
            workers,
          }),
        )
      }
    }
    this.#tellChanges()
    return { left, busy: context.somebodyLooks() || agoMs < leavesWithinMs }
  }

  /** Whether something in it is waited for, so that the next look is due soon. */
  get waits(): boolean {
    const { membership, observers, program } = this.#sources
    return (
      observers.parents.size === 0 ||
      membership.pools.some((pool) => pool.live && pool.awaited) ||
      program.members.live().some(({ recorded }) => recorded !== undefined) ||
      [...observers.parents].some(({ answers, observed }) => answers && observed?.waitsIn != null)
    )
  }

  #tellChanges(): void {
    for (const part of this.parts) part.tellChanges()
  }

  /**
   * The program has waited for a while, and no look since has searched for processes that it started before: a command
   * may bring what it waits for.
   */
  #mayStandStill(): boolean {
    const standstill = this.#sources.membership.root?.standstill
    return (
      standstill?.waitsSince !== undefined && standstill.waitsMs >= treeAfterMs && this.#treeAt <= standstill.waitsSince
    )
  }

  #awaitedMembers(): Set<ProgramMember> {
    const { membership, program } = this.#sources
    // Which process waits for a plain process is not known.
    return new Set([
      ...program.members.live(),
      ...membership.pools
        .filter((pool) => pool.live && (pool.awaited || !pool.parent.answers))
        .flatMap((pool) => pool.members.live()),
    ])
  }

  async #judge(): Promise<void> {
    const { membership, context, program, watch } = this.#sources
    const { pools } = membership
    const now = steadyMs()
    const stuckAfterMs = watch.stuckAfterMs ?? defaultStuckAfterMs
    const makers = new Set(pools.filter(({ live }) => live).map(({ parent }) => parent.pid))
    const members = new Map(membership.live.map((member) => [member.pid, member]))
    const known = new Map<ProgramPart, ProgramPoolFacts>()
    for (const pool of pools) {
      if (!pool.live) continue
      const row = pool.parent.identity && (await context.processes.inspect(pool.parent.identity))
      known.set(
        pool,
        poolFacts(
          pool,
          pool.members.all(),
          {
            stuckAfterMs,
            parentState: row?.state ?? 'unknown',
            makers,
            unlistedLosses: pool.members.unlistedLosses,
            member: members.get(pool.parent.pid),
          },
          now,
        ),
      )
    }
    const main = membership.root
    if (main !== undefined) known.set(program, this.#ownFacts(main, stuckAfterMs, now))
    const readers = readersAmong([...known.values()].flatMap(({ workers }) => workers))
    for (const [part, facts] of known) part.judge(judgeProgramPool({ ...facts, readers }))
  }

  /** Of the program's plain processes, and what it started otherwise. */
  #ownFacts(main: ProgramMember, stuckAfterMs: number, now: number): ProgramPoolFacts {
    const { membership, observers, program } = this.#sources
    const others = program.members.all().filter((member) => member !== main)
    const view = observers.of(main.pid)
    const isTreeKnown = this.#treeAt > (main.standstill.waitsSince ?? Infinity)
    const parent = {
      pid: main.pid,
      state: main.state,
      answers: [...observers.parents].some(({ answers }) => answers),
      quietMs: main.movement.quietMs(now),
      sigterm: main.sigterm,
      standsStillMs:
        view && isTreeKnown && !membership.pools.some(({ live }) => live)
          ? main.standstill.forMsOfParent(now, view)
          : 0,
      ...parentWaits(main, view),
    }
    return processFacts(program.name, 'processes', parent, others, stuckAfterMs, now)
  }
}
