import { recogniseProcess } from '../../../diagnosis'
import { isAlive, signalName, signalNumber, type ProcessIdentity } from '../../../processes'
import type { ChildNote } from '../observers/nodeProcesses'
import type { ObservedPool } from '../observers/observerMessages'
import type { ParentView } from '../members/parentView'
import type { ProgramContext } from '../context/programContext'
import { ProgramMember, rootKey } from '../members/programMember'
import type { ProgramPart } from '../parts/programPart'
import { steadyMs, wallOf } from '../context/steadyTime'
import { memberExit } from './memberExit'
import { WatchedPool, type PoolOwner } from './watchedPool'

/** The time that the parent of a process that is gone has to report its exit code; a later report does not come. */
const childExitReportedWithinMs = 1000
/**
 * Pools of a program that have ended, without and with a loss: a loop may make thousands. The host lists no more than
 * that of all it has.
 */
const listedEndedPools = 10
const listedEndedPoolsWithLosses = 50
/**
 * Processes that are known of one program at a time. A recorder can tell of thousands that never were, and a program
 * can have hundreds of them.
 */
const mostMembers = 8192
/** A name is for a row in a list. */
const longestName = 60

interface Known {
  readonly member: ProgramMember
  /** Undefined: of the program itself. */
  readonly pool: WatchedPool | undefined
  /** Whose recorder tells of it, and the reading that did so last. */
  parent?: ParentView
  reading?: ParentView['processes']
  goneAt?: number
}

/**
 * Who belongs to a watched program: its main process, the pools inside and their workers, and other children; and how
 * each of them ended.
 */
export class Membership {
  readonly #program: ProgramPart & PoolOwner
  readonly #parents: ReadonlySet<ParentView>
  readonly #context: ProgramContext
  readonly #onExit: (pid: number) => void

  readonly #known = new Map<string, Known>()
  /** The newest child with that pid, of those that are no pool's. */
  readonly #children = new Map<number, Known>()
  readonly #inner = new Map<string, WatchedPool>()
  #oomKillsBefore: number | null = null
  #poolNumber = 0
  #childNumber = 0

  constructor(
    program: ProgramPart & PoolOwner,
    parents: ReadonlySet<ParentView>,
    context: ProgramContext,
    onExit: (pid: number) => void = () => undefined,
  ) {
    this.#program = program
    this.#parents = parents
    this.#context = context
    this.#onExit = onExit
  }

  get pools(): WatchedPool[] {
    return [...this.#inner.values()]
  }

  get members(): ProgramMember[] {
    return [...this.#known.values()].map(({ member }) => member)
  }

  get live(): ProgramMember[] {
    return this.members.filter((member) => member.live)
  }

  /** The main process. */
  get root(): ProgramMember | undefined {
    return this.#known.get(rootKey)?.member
  }

  async started(root: ProcessIdentity): Promise<void> {
    const member = new ProgramMember(rootKey, 'MainProcess', root.pid, Date.now())
    member.identity = root
    this.#known.set(rootKey, { member, pool: undefined })
    this.#program.members.add(member)
    this.#oomKillsBefore = await this.#context.processes.oomKills(root)
  }

  /** Pools and workers as a parent's observer and recorder tell of them. */
  sync(parent: ParentView): void {
    const { observed } = parent
    if (observed === undefined) return
    for (const pool of observed.pools) this.#syncPool(parent, pool)
    if (parent.answers) {
      const keys = new Set(observed.pools.filter(({ state }) => state !== 'ended').map(({ key }) => key))
      for (const pool of this.pools) if (pool.parent === parent && pool.live && !keys.has(pool.key)) this.endPool(pool)
    }
    for (const recorded of parent.processes) {
      if (recorded.slot === 0 || recorded.pid === 0) continue
      const key = `${parent.key}:${recorded.slot}:${recorded.generation}`
      const pool = recorded.poolKey === 0 ? undefined : this.#inner.get(poolKeyOf(parent, recorded.poolKey))
      // Its pool will be in the next answer.
      if (recorded.poolKey !== 0 && pool === undefined) continue
      if (!this.#known.has(key) && this.#known.size >= mostMembers) continue
      const known = this.#known.get(key) ?? this.#addWorker(key, recorded, pool)
      const { member } = known
      known.parent = parent
      known.reading = parent.processes
      if (member.rescued !== undefined) continue
      member.recorded = recorded
      const named = observed.tasks[String(recorded.slot)]
      if (named?.counter === recorded.counter) member.named = named
      pool?.nameTask(member)
    }
  }

  /** Children that Node processes tell of. */
  syncNotes(notes: readonly ChildNote[]): void {
    for (const note of notes) {
      if (note.kind === 'started') this.#noteStarted(note)
      else this.#noteEnded(note)
    }
  }

  /** Children that no observer tells of: what a shell starts, subprocesses of a Python program. */
  async syncTree(root: ProcessIdentity): Promise<void> {
    const below =
      (await this.#context.processes.descendants([{ identity: root, marker: `${this.#program.id}/main` }])).get(
        root.pid,
      ) ?? []
    const observed = new Set(
      [...this.#parents].flatMap((parent) => [
        parent.pid,
        ...helperPids(parent),
        ...parent.processes.map(({ pid }) => pid),
      ]),
    )
    // Python's own helpers may have been there before their program told of them.
    for (const helper of [...this.#parents].flatMap(helperPids)) {
      const child = this.#children.get(helper)
      if (child?.member.live === true && child.member.noted === undefined) this.#forgetUntold(child)
    }
    for (const row of below) {
      const { pid, startTime } = row.identity
      if (observed.has(pid) || row.state === 'zombie' || isSameChild(this.#children.get(pid)?.member, startTime))
        continue
      const commandLine = (await this.#context.processes.commandLine(row.identity)) ?? null
      const member = this.#addChild(
        recogniseProcess({ commandLine, command: row.command, parentCommandLine: null }).name,
        pid,
        Date.now(),
      )
      member.identity = row.identity
    }
  }

  /** Who has ended since, and how, as far as anybody can tell. */
  async noteExits(
    rootExit: { exitCode: number | null; signal: NodeJS.Signals | null; at: number } | undefined,
  ): Promise<void> {
    for (const known of this.#known.values()) {
      const { member } = known
      if (!member.live) {
        if (member.uncollected) await this.#lookForCollection(member)
        continue
      }
      if (member.key === rootKey) {
        if (rootExit !== undefined) await this.#noteExit(known, rootExit, rootExit.at)
      } else if (member.recorded?.exitCode != null) {
        await this.#noteExit(known, splitExit(member.recorded.exitCode), member.recorded.exitedAt ?? Date.now())
      } else if (member.noted?.ended !== undefined) {
        await this.#noteExit(known, member.noted.ended, member.noted.ended.at)
      } else if (member.identity !== undefined) {
        await this.#lookForExit(known, member.identity, rootExit !== undefined)
      } else if (rootExit !== undefined) {
        // It was gone before it could be looked at, and nobody is left to tell of it.
        await this.#noteExit(known, { exitCode: null, signal: null }, Date.now())
      } else if (
        (member.noted !== undefined || this.#isUntold(known)) &&
        !(await this.#isThere(member.pid, member.noted?.ticks ?? member.recorded?.startTicks ?? null))
      ) {
        // The same, and the one that started it may have ended as well.
        known.goneAt ??= steadyMs()
        if (steadyMs() - known.goneAt > childExitReportedWithinMs)
          await this.#noteExit(known, { exitCode: null, signal: null }, wallOf(known.goneAt))
      }
    }
    for (const known of this.#known.values()) {
      // Of those that have ended each list keeps the last hundred. What a recorder still shows would be taken for a new
      // one.
      if (
        !known.member.live &&
        !(known.pool ?? this.#program).members.has(known.member) &&
        !isShown(known, this.#parents)
      )
        this.#forgetChild(known)
    }
  }

  /**
   * A process that made pools is gone, or is another program by now: once its workers are, too, its pools have ended.
   * True then.
   */
  closeParent(parent: ParentView): boolean {
    for (const known of this.#known.values()) if (known.parent === parent && known.member.live) return false
    for (const pool of this.pools) if (pool.parent === parent && pool.live) this.endPool(pool)
    return true
  }

  endPool(pool: WatchedPool): void {
    pool.end(Date.now())
    const ended = this.pools.filter((other) => !other.live)
    const [without, losing] = [
      ended.filter((other) => other.members.counts().lost === 0),
      ended.filter((other) => other.members.counts().lost > 0),
    ]
    for (const old of without.slice(0, -listedEndedPools)) this.#forgetPool(old)
    for (const old of losing.slice(0, -listedEndedPoolsWithLosses)) this.#forgetPool(old)
  }

  async #lookForExit(known: Known, identity: ProcessIdentity, isOver: boolean): Promise<void> {
    const { processes, kills } = this.#context
    const { member } = known
    if (await isAlive(processes, identity)) return
    known.goneAt ??= steadyMs()
    member.uncollected = await processes.exists(identity)
    const status = await processes.exitStatus(identity)
    // Its parent collects it and tells how it ended; when it does not, nobody knows.
    if (status !== undefined) await this.#noteExit(known, status, wallOf(known.goneAt))
    else if (member.recorded === undefined && member.noted === undefined && kills.entriesFor(identity).length === 0)
      this.#forgetUntold(known)
    else if ((isOver && member.recorded === undefined) || steadyMs() - known.goneAt > childExitReportedWithinMs)
      await this.#noteExit(known, { exitCode: null, signal: null }, wallOf(known.goneAt))
  }

  /** How it ended is known, and its parent may still not have taken notice. */
  async #lookForCollection(member: ProgramMember): Promise<void> {
    member.uncollected = member.identity !== undefined && (await this.#context.processes.exists(member.identity))
  }

  /** Whoever would have told how it ended is gone. */
  #isUntold({ parent }: Known): boolean {
    return parent !== undefined && !parent.link.connected
  }

  async #isThere(pid: number, ticks: number | null): Promise<boolean> {
    const identity = await this.#context.processes.identify(pid)
    return identity !== undefined && (ticks === null || identity.startTime.endsWith(`-${ticks}`))
  }

  async #noteExit(
    { member, pool }: Known,
    exit: { exitCode: number | null; signal: NodeJS.Signals | null },
    at: number,
  ): Promise<void> {
    const program = { identity: this.root?.identity, oomKillsBefore: this.#oomKillsBefore }
    member.exit = await memberExit(member, exit, at, [pool?.parent, program], this.#context)
    ;(pool ?? this.#program).members.exited(member)
    this.#onExit(member.pid)
  }

  #addWorker(
    key: string,
    recorded: { pid: number; name: string; startedAt: number },
    pool: WatchedPool | undefined,
  ): Known {
    const { members } = pool ?? this.#program
    const child = this.#children.get(recorded.pid)
    // It was seen as a mere child before its parent told what it is.
    if (child?.member.live === true) this.#forgetUntold(child)
    const known = {
      member: new ProgramMember(key, members.uniqueName(recorded.name, recorded.pid), recorded.pid, recorded.startedAt),
      pool,
    }
    this.#known.set(key, known)
    members.add(known.member)
    return known
  }

  #noteStarted({ pid, ticks, at, argv }: Extract<ChildNote, { kind: 'started' }>): void {
    const known = this.#children.get(pid)
    const command = argv[0]?.slice(argv[0].lastIndexOf('/') + 1) ?? ''
    const { name } = recogniseProcess({ commandLine: argv, command, parentCommandLine: null })
    // It was seen while it still was a copy of its parent.
    if (
      known?.member.live === true &&
      known.member.noted === undefined &&
      (ticks === null || isSameChild(known.member, `-${ticks}`))
    )
      this.#forgetUntold(known)
    this.#addChild(name, pid, at).noted = { ticks }
  }

  #noteEnded({ pid, ticks, at, exitCode, signal }: Extract<ChildNote, { kind: 'ended' }>): void {
    const member = this.#children.get(pid)?.member
    if (member?.noted?.ticks !== ticks) return
    member.noted.ended = { exitCode, signal: signal !== null && isSignal(signal) ? signal : null, at }
  }

  #addChild(name: string, pid: number, startedAt: number): ProgramMember {
    const { members } = this.#program
    const member = new ProgramMember(
      `child:${(this.#childNumber += 1)}`,
      members.uniqueName(`${name.slice(0, longestName)}-${pid}`, pid),
      pid,
      startedAt,
    )
    const known = { member, pool: undefined }
    this.#known.set(member.key, known)
    this.#children.set(pid, known)
    members.add(member)
    return member
  }

  /** Nobody will tell how it ended, or somebody else tells of it. */
  #forgetUntold(known: Known): void {
    this.#program.members.remove(known.member)
    this.#forgetChild(known)
  }

  #forgetChild(known: Known): void {
    const { key, pid } = known.member
    this.#known.delete(key)
    if (this.#children.get(pid) === known) this.#children.delete(pid)
  }

  #syncPool(parent: ParentView, observed: ObservedPool): void {
    const key = poolKeyOf(parent, observed.key)
    const known = this.#inner.get(key)
    if (known !== undefined) {
      known.observed = observed
      return
    }
    if (observed.state === 'ended') return
    const context = this.#context
    const { state, pools } = context
    const id = `${this.#program.id}.${(this.#poolNumber += 1)}`
    const pool = new WatchedPool(id, parent, observed, this.#program, {
      ...state.changesOf(id),
      ended: () => {
        context.ended(pool)
      },
    })
    this.#inner.set(key, pool)
    pools.add(pool)
  }

  #forgetPool(pool: WatchedPool): void {
    this.#inner.delete(poolKeyOf(pool.parent, pool.key))
    for (const [key, known] of this.#known) if (known.pool === pool && !known.member.live) this.#known.delete(key)
    if (this.#context.pools.has(pool.id)) this.#context.pools.remove(pool.id)
  }
}

/** Python's own helpers of a program, by its observer. */
export function helperPids({ observed }: ParentView): number[] {
  const { resourceTracker = null, forkServer = null, lokyTracker = null } = observed?.helpers ?? {}
  return [forkServer, resourceTracker, lokyTracker].filter((pid) => pid !== null)
}

function poolKeyOf(parent: ParentView, key: number): string {
  return `${parent.key}:${key}`
}

function isShown({ parent, reading }: Known, parents: ReadonlySet<ParentView>): boolean {
  return parent !== undefined && parents.has(parent) && parent.processes === reading
}

/** Not one that had the pid before. */
function isSameChild(member: ProgramMember | undefined, startTime: string): boolean {
  if (member === undefined) return false
  const ticks = startTime.slice(startTime.lastIndexOf('-') + 1)
  if (member.identity !== undefined) return member.identity.startTime.endsWith(`-${ticks}`)
  return member.noted?.ticks == null ? member.live : String(member.noted.ticks) === ticks
}

function isSignal(name: string): name is NodeJS.Signals {
  return signalNumber(name as NodeJS.Signals) !== undefined
}

/** multiprocessing's exit code: negative for a signal. */
function splitExit(code: number): { exitCode: number | null; signal: NodeJS.Signals | null } {
  const signal = code < 0 ? signalName(-code) : undefined
  return signal === undefined ? { exitCode: code, signal: null } : { exitCode: null, signal }
}
