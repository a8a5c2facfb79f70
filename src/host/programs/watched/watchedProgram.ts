import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { exitNotation, judgeProgramPool, leftBehind, readersAmong, type ProgramPoolFacts } from '../../../diagnosis'
import { isAlive, type ProcessIdentity } from '../../../processes'
import { errorCodes, type PoolHeader, type ProgramSnapshot, type WatchOptions } from '../../../protocol'
import {
  planShutdown,
  shutDown,
  type ShutdownPlan,
  type ShutdownReport,
  type ShutdownRequest,
  type ShutdownSubject,
  type ShutdownTarget,
} from '../../../shutdown'
import { RequestError } from '../../terms/requestError'
import type { ShutdownOrder } from '../../pools/hostedPool'
import { belongsTo } from '../members/belongsTo'
import { Membership } from './membership'
import { continueMember, type RescueOutcome } from '../parts/continueMember'
import { keepsObserverOut } from '../observers/keepsObserverOut'
import { LookSchedule } from '../parts/lookSchedule'
import { MemberSampler } from '../members/memberSampler'
import { NodeProcesses, type NodeProcess } from '../observers/nodeProcesses'
import { ObserverLink } from '../observers/observerLink'
import { ParentView } from '../members/parentView'
import type { ProgramContext } from '../context/programContext'
import { goesOn, targetsOf } from './programEnding'
import { parentWaits, poolFacts, processFacts } from '../parts/programFacts'
import type { ProgramMember } from '../members/programMember'
import { ProgramPart } from '../parts/programPart'
import { takeQuietStacks } from '../stacks/quietStacks'
import { Rescuer } from './rescuer'
import { steadyMs } from '../context/steadyTime'
import { StuckPolicy } from './stuckPolicy'
import { WatchedPool, type PoolOwner } from './watchedPool'
import type { WatchSession } from '../observers/watchSession'

/** As the engine's own pools. */
const defaultStuckAfterMs = 30_000
const defaultGracePeriodMs = 100
/** Lower ones that the kernel has are glibc's own. */
const firstRealTimeSignal = 34
/** Children that no observer tells of are looked for by a pass over the process table, so not at every look. */
const treeEveryMs = 2000
/** And once more in every wait of the program that lasts: before it counts as one without an end. */
const treeAfterMs = 500
/** How long whoever started the program has to tell its exit code, once it is gone. */
const exitToldWithinMs = 2000
/** How long the workers of a program that has ended are given to notice. */
const leavesWithinMs = 1000

export interface WatchedProgramOptions {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly watch: WatchOptions
  /** Started by this host for a task, and ended with it; else by somebody's terminal. */
  readonly owned: boolean
  /** The label of the task in tasks.json. */
  readonly label: string | null
}

/** How the main process ended; `at` in epoch ms, `steadyAt` on the steady clock. */
interface RootExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly at: number
  readonly steadyAt: number
}

/**
 * A program of the user's own under watch: its processes, the pools it makes, and what is wrong with them. Whoever
 * started it (a terminal, or this host for a task) tells of its start and its end; all else is seen from outside, or
 * told by its observers.
 */
export class WatchedProgram extends ProgramPart implements PoolOwner {
  readonly #context: ProgramContext

  readonly rescuer: Rescuer
  #session: WatchSession | undefined
  #nodes: NodeProcesses | undefined
  #rootExit: RootExit | undefined
  readonly #parents = new Set<ParentView>()
  readonly #membership: Membership
  readonly #memberSampler: MemberSampler
  readonly #schedule: LookSchedule
  readonly #policy: StuckPolicy
  #observerFailure: string | null
  /** Of the first observer that was inside. */
  #python: string | undefined
  #treeAt = -Infinity
  /** Looked for once more after its end. */
  #isTreeComplete = false
  #rootGoneAt: number | undefined

  constructor(
    id: string,
    name: string,
    readonly options: WatchedProgramOptions,
    context: ProgramContext,
  ) {
    super(id, name, Date.now(), options.owned, {
      headerChanged: () => {
        context.state.headerChanged(id)
      },
      workerChanged: (worker) => {
        context.state.workerChanged(id, worker)
      },
      workerRemoved: (worker) => {
        context.state.workerRemoved(id, worker)
      },
      ended: () => {
        context.ended(this)
      },
    })
    this.#context = context

    this.#observerFailure = keepsObserverOut(options.argv) ?? null
    // A program that recycles its workers for weeks would fill the folder.
    this.#membership = new Membership(this, this.#parents, context, (pid) => {
      this.#session?.remove(`stack-${pid}`)
    })
    this.rescuer = new Rescuer(context)
    this.#memberSampler = new MemberSampler(context.processes, context.kills, (identity) =>
      belongsTo(identity, this.root, `${id}/main`, context.processes),
    )
    this.#schedule = new LookSchedule(
      () => this.#lookOnce(),
      (error) => {
        context.log.error('A look at a program failed.', { program: name, error: String(error) })
      },
    )
    this.#policy = new StuckPolicy(
      options.watch.onStuck ?? 'flag',
      {
        id,
        rescuer: this.rescuer,
        hurry: () => {
          this.#schedule.hurry()
        },
        end: (kill, reason) => {
          this.shutdown({ kill, askedBy: 'policy', reason }).catch((error: unknown) => {
            context.log.error('A program was not ended.', { program: name, error: String(error) })
          })
        },
      },
      context,
    )
  }

  /** Its main process; undefined before it has started. */
  get root(): ProcessIdentity | undefined {
    return this.#membership.root?.identity
  }

  get pools(): readonly WatchedPool[] {
    return this.#membership.pools
  }

  opened(session: WatchSession): void {
    this.#session = session
    this.#nodes = new NodeProcesses(session.directory)
  }

  /** A Node process of the program has started or ended a child. */
  noted(): void {
    this.#schedule.hurry()
  }

  /** Somebody connects to the session's socket; nothing is believed before its hello. */
  connected(socket: Socket, token: string): void {
    const { log } = this.#context
    // It holds itself by its socket.
    new ObserverLink(socket, token, {
      ready: (link, hello) => {
        if (hello.recorder === null) return
        if (!this.#session || !this.live) {
          link.end()
          return
        }
        this.#python ??= hello.python
        this.#parents.add(
          new ParentView(hello, hello.recorder, link, this.#session, (error) => {
            log.debug('An observer did not answer.', { program: this.name, pid: hello.pid, error: String(error) })
          }),
        )
        log.info('An observer is inside.', { program: this.name, pid: hello.pid, python: hello.python })
        this.#schedule.hurry()
      },
      changed: () => {
        this.#schedule.hurry()
      },
      failed: (message, { pid, recorder }) => {
        log.warn('An observer has disabled itself.', { program: this.name, pid, message })
        // A tool that the program runs may be an old Python; the program is observed all the same.
        if (recorder === null && this.#python !== undefined) return
        this.#observerFailure = message
        this.#schedule.hurry()
      },
      gone: () => {
        this.#schedule.hurry()
      },
      refused: (why) => {
        log.warn('An observer was turned away.', { program: this.name, why })
      },
    })
  }

  /** Its main process runs. */
  async started(root: ProcessIdentity): Promise<void> {
    await this.#membership.started(root)
    // Its exit may have been told meanwhile.
    if (!this.live) return
    if (!this.owned && this.#rootExit === undefined) this.#context.terminalPrograms()?.started(root, this)
    this.#schedule.start()
    this.tellChanges()
  }

  /** Its main process has ended; the first to tell is right. */
  exited(exit: { exitCode: number | null; signal: NodeJS.Signals | null }): void {
    if (this.#rootExit !== undefined || !this.live) return
    this.#rootExit = { ...exit, at: Date.now(), steadyAt: steadyMs() }
    if (this.root !== undefined) this.#context.terminalPrograms()?.exited(this.root)
    // It could not be started, or was over before anybody could look.
    if (this.root === undefined) void this.abandon()
    else this.#schedule.hurry()
  }

  override header(): PoolHeader {
    const state = !this.live
      ? 'ended'
      : this.root === undefined
        ? 'init'
        : this.#rootExit === undefined
          ? 'run'
          : 'terminate'
    return {
      ...super.header(),
      kind: 'program',
      state,
      label: this.options.label,
      program: this.#programSnapshot(),
      failure: this.#failureText(),
    }
  }

  /** A look now; settles when its verdicts are in the snapshot. */
  look(): Promise<void> {
    return this.live && this.root !== undefined ? this.#schedule.now() : Promise.resolve()
  }

  continueProcess(pid: number, askedBy: 'user' | 'cli' | 'policy'): Promise<RescueOutcome> {
    const part = [this, ...this.pools].find((candidate) => candidate.members.byPid(pid) !== undefined) ?? this
    return continueMember(part, pid, askedBy, this.#context)
  }

  /** A live process of the program or of any pool in it. */
  findMember(pid: number): ProgramMember | undefined {
    return this.#membership.live.find((member) => member.pid === pid)
  }

  /** Whether the kernel says that a process is the program's own: all else that tells of it is the program's word. */
  async owns(identity: ProcessIdentity): Promise<boolean> {
    const { startTime } = this.findMember(identity.pid)?.identity ?? {}
    return (
      startTime === identity.startTime ||
      (await belongsTo(identity, this.root, `${this.id}/main`, this.#context.processes))
    )
  }

  /** The observer in that process, while it is connected. */
  parentOf(pid: number): ParentView | undefined {
    return [...this.#parents].find((parent) => parent.pid === pid && parent.link.connected)
  }

  /** The observer in that Node process, and where its files are. */
  nodeProcess({
    pid,
    startTime,
  }: ProcessIdentity): { readonly node: NodeProcess; readonly file: (name: string) => string } | undefined {
    const nodes = this.#nodes
    const node = nodes?.find(pid, startTime)
    return nodes && node && { node, file: (name) => nodes.file(name) }
  }

  /** Which signal asks for stacks is the program's word: one that means something else to it is never sent. */
  mayAsk(signal: number): boolean {
    return signal >= firstRealTimeSignal || (signal !== 0 && signal === this.options.watch.stackSignal)
  }

  sessionFile(name: string): string | undefined {
    return this.#session?.file(name)
  }

  /**
   * Ends the program: its main process first, so that it does not go on without those that it waits for, then what it
   * has started, and last what Python keeps to clean up behind them.
   */
  async shutdown(order: ShutdownOrder): Promise<ShutdownReport> {
    const noteIssues = ({ issues }: ShutdownReport): void => {
      this.lastIssues = issues
      for (const pool of this.pools) pool.noteIssues(issues)
    }
    const report = await this.#run(await this.#requestToEnd(order), order, noteIssues)
    noteIssues(report)
    return report
  }

  /** What {@link shutdown} would do. */
  async plan(order: ShutdownOrder): Promise<ShutdownPlan> {
    return planShutdown(await this.#requestToEnd(order), this.#context)
  }

  planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    return this.planMember(this, pid, order)
  }

  async planMember(part: ProgramPart, pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    const request = this.#requestToEndMember(part, pid, order)
    if (request === undefined) return this.plan(order)
    return { ...(await planShutdown(request, this.#context)), consequence: goesOn }
  }

  /** The signal by which Unhang ended the program, or tried to; null where it did not. */
  get endedBy(): 'SIGTERM' | 'SIGKILL' | null {
    const sent =
      this.root === undefined
        ? []
        : this.#context.kills.entriesFor(this.root).filter(({ outcome }) => outcome === 'sent')
    if (sent.some(({ signal }) => signal === 'SIGKILL')) return 'SIGKILL'
    return sent.some(({ signal }) => signal === 'SIGTERM') ? 'SIGTERM' : null
  }

  shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    return this.shutdownMember(this, pid, order)
  }

  async shutdownMember(part: ProgramPart, pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    const request = this.#requestToEndMember(part, pid, order)
    return request === undefined ? this.shutdown(order) : this.#run(request, order)
  }

  /** The host ends, or nobody ever started the program: it is not watched any more. */
  async leave(): Promise<void> {
    await this.#schedule.stop()
    for (const parent of this.#parents) parent.close()
    await this.#session?.close()
  }

  /** It leaves the list, and its pools with it: without their program they mean nothing. */
  override dispose(): Promise<void> {
    for (const { id } of this.pools) if (this.#context.pools.has(id)) this.#context.pools.remove(id)
    return Promise.resolve()
  }

  /** It was never started: it leaves the list as ended. */
  async abandon(): Promise<void> {
    try {
      await this.leave()
    } catch (error) {
      this.#context.log.error('A program was not cleaned up.', { program: this.name, error: String(error) })
    }
    this.end(Date.now())
  }

  async #lookOnce(): Promise<{ readonly busy: boolean }> {
    const { root } = this
    if (!this.live || root === undefined) return { busy: false }
    if (this.#rootExit !== undefined) return this.#lookAfterEnd(root, this.#rootExit)
    await Promise.all([...this.#parents].map((parent) => parent.ask()))
    await this.#syncParents()
    this.#membership.syncNotes(this.#nodes?.read() ?? [])
    const now = steadyMs()
    if (now - this.#treeAt > treeEveryMs || this.#mayStandStill()) {
      this.#treeAt = now
      await this.#membership.syncTree(root)
    }
    await this.#membership.noteExits(this.#rootExit)
    await this.#leaveParents()
    const awaited = this.#awaitedMembers()
    await this.#memberSampler.observe(
      this.#membership.live,
      [...this.#parents].filter(({ link }) => link.connected),
      (member) => awaited.has(member),
      now,
    )
    if (this.#session)
      await takeQuietStacks(
        this.#membership.live,
        { session: this.#session, context: this.#context, mayAsk: (signal) => this.mayAsk(signal) },
        now,
      )
    await this.#judgeAll()
    for (const part of [this, ...this.pools]) part.tellChanges()
    await this.#policy.act([this, ...this.pools])
    const row = await this.#context.processes.inspect(root)
    if (row === undefined) {
      this.#rootGoneAt ??= steadyMs()
      // Its terminal has died with it, or is slow: whoever started it knows how it ended, and nobody else.
      if (steadyMs() - this.#rootGoneAt > exitToldWithinMs) this.exited({ exitCode: null, signal: null })
    }
    const isLookedAt = this.#context.somebodyLooks() || (this.options.watch.onStuck ?? 'flag') !== 'flag'
    return {
      busy:
        isLookedAt &&
        (this.#parents.size === 0 ||
          this.pools.some((pool) => pool.live && pool.awaited) ||
          this.#waitsForItsProcesses()),
    }
  }

  /**
   * It has waited for a while, and nobody has looked since for what it started before: a command may bring what it
   * waits for.
   */
  #mayStandStill(): boolean {
    const standstill = this.#membership.root?.standstill
    return (
      standstill?.waitsSince !== undefined && standstill.waitsMs >= treeAfterMs && this.#treeAt <= standstill.waitsSince
    )
  }

  /** As a pool that is waited for: processes of its own run, or it waits for something that may never come. */
  #waitsForItsProcesses(): boolean {
    return (
      this.members.live().some(({ recorded }) => recorded !== undefined) ||
      [...this.#parents].some(({ answers, observed }) => answers && observed?.waitsIn != null)
    )
  }

  /** Processes that made pools and are gone; their recorders would stay open for as long as the program runs. */
  async #leaveParents(): Promise<void> {
    for (const parent of this.#parents) {
      if (parent.link.connected) continue
      const found = await this.#context.processes.identify(parent.pid)
      const runs =
        found?.startTime.endsWith(`-${parent.hello.startTicks}`) === true &&
        (await isAlive(this.#context.processes, found))
      // It may be a while in which only the observer has failed, or the new program of the same process has said hello.
      const replaced = [...this.#parents].some(
        (other) => other !== parent && other.pid === parent.pid && other.link.connected,
      )
      if (runs && !replaced) continue
      // With the main process all of it ends, see lookAfterEnd.
      if (parent.pid === this.root?.pid && !replaced) continue
      if (!this.#membership.closeParent(parent)) continue
      parent.close()
      this.#parents.delete(parent)
      if (!replaced) this.#session?.remove(parent.recorderName)
    }
  }

  #awaitedMembers(): Set<ProgramMember> {
    // Of plain processes nobody knows who waits for them.
    return new Set([
      ...this.members.live(),
      ...this.pools
        .filter((pool) => pool.live && (pool.awaited || !pool.parent.answers))
        .flatMap((pool) => pool.members.live()),
    ])
  }

  async #judgeAll(): Promise<void> {
    const now = steadyMs()
    const stuckAfterMs = this.options.watch.stuckAfterMs ?? defaultStuckAfterMs
    const makers = new Set(this.pools.filter(({ live }) => live).map(({ parent }) => parent.pid))
    const members = new Map(this.#membership.live.map((member) => [member.pid, member]))
    const known = new Map<ProgramPart, ProgramPoolFacts>()
    for (const pool of this.pools) {
      if (!pool.live) continue
      const row = pool.parent.identity && (await this.#context.processes.inspect(pool.parent.identity))
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
    const main = this.#membership.root
    if (main !== undefined) known.set(this, this.#ownFacts(main, stuckAfterMs, now))
    const readers = readersAmong([...known.values()].flatMap(({ workers }) => workers))
    for (const [part, facts] of known) part.judge(judgeProgramPool({ ...facts, readers }))
  }

  /** Of its plain processes, and what it started otherwise. */
  #ownFacts(main: ProgramMember, stuckAfterMs: number, now: number): ProgramPoolFacts {
    const others = this.members.all().filter((member) => member !== main)
    const view = this.parentOf(main.pid)
    const isTreeKnown = this.#treeAt > (main.standstill.waitsSince ?? Infinity)
    const parent = {
      pid: main.pid,
      state: main.state,
      answers: [...this.#parents].some(({ answers }) => answers),
      quietMs: main.movement.quietMs(now),
      sigterm: main.sigterm,
      standsStillMs:
        view && isTreeKnown && !this.pools.some(({ live }) => live) ? main.standstill.forMsOfParent(now, view) : 0,
      ...parentWaits(main, view),
    }
    return processFacts(this.name, 'processes', parent, others, stuckAfterMs, now)
  }

  async #requestToEnd(order: ShutdownOrder): Promise<ShutdownRequest> {
    await this.look()
    const marker = `${this.id}/main`
    const targets = await targetsOf(this.#membership.live, this.#parents, marker, this.#context)
    const root = this.#rootExit === undefined ? undefined : this.root
    return {
      ...this.#request({ id: this.id, name: this.name }, targets, order),
      formerWorkers: root === undefined ? [] : [{ identity: root, name: 'MainProcess', marker }],
    }
  }

  /** Undefined for the main process: without it nothing is left of a program that anybody could want. */
  #requestToEndMember(part: ProgramPart, pid: number, order: ShutdownOrder): ShutdownRequest | undefined {
    const member = part.members.byPid(pid)
    if (member?.identity === undefined)
      throw new RequestError(errorCodes.notFound, `${part.name} has no live worker with pid ${pid}.`)
    if (member.key === 'root') return undefined
    return this.#request(
      { id: part.id, name: member.name, kind: 'worker' },
      [{ identity: member.identity, name: member.name }],
      order,
    )
  }

  #request(subject: ShutdownSubject, targets: readonly ShutdownTarget[], order: ShutdownOrder): ShutdownRequest {
    const { watch } = this.options
    return {
      subject,
      targets,
      kill: order.kill,
      reason: order.reason,
      askedBy: order.askedBy,
      gracePeriodMs: order.gracePeriodMs ?? watch.gracePeriodMs ?? defaultGracePeriodMs,
      useSigkill: order.useSigkill ?? watch.useSigkill ?? false,
    }
  }

  async #run(
    request: ShutdownRequest,
    order: ShutdownOrder,
    noteIssues?: (report: ShutdownReport) => void,
  ): Promise<ShutdownReport> {
    const { processes, kills } = this.#context
    const report = await shutDown(
      {
        ...request,
        endedLater: (later) => {
          noteIssues?.(later)
          this.#context.shutdown(later, order)
          this.#schedule.hurry()
        },
      },
      { processes, ledger: kills },
    )
    this.#context.shutdown(report, order)
    this.#schedule.hurry()
    return report
  }

  #programSnapshot(): ProgramSnapshot {
    const node = this.#nodes?.version
    return {
      argv: [...this.options.argv],
      pid: this.root?.pid ?? null,
      python: this.#python ?? null,
      observer:
        this.#observerFailure !== null
          ? 'failed'
          : this.#python === undefined && node === undefined
            ? 'waiting'
            : 'inside',
      message:
        this.#observerFailure ??
        (this.#python === undefined && node !== undefined
          ? `Node.js ${node}: its child processes and their stacks are seen, its tasks are not`
          : null),
      exitCode: this.#rootExit?.exitCode ?? null,
      signal: this.#rootExit?.signal ?? null,
      readOnly: false,
    }
  }

  #failureText(): string | null {
    if (this.#rootExit === undefined) return null
    const { exitCode, signal } = this.#rootExit
    if (signal !== null) return `${this.name} was ended by ${signal}`
    // Its own word would be a success.
    if (exitCode === 0)
      return this.endedBy === null ? null : `${this.name} was ended by Unhang (${this.endedBy}), and left with code 0`
    return exitCode === null ? `${this.name} ended, and nobody told how` : `${this.name} exited with code ${exitCode}`
  }

  /**
   * What the recorders say. A program may have hundreds, with thousands of rows each: the event loop turns in between.
   */
  async #syncParents(): Promise<void> {
    for (const parent of [...this.#parents]) {
      parent.read()
      this.#membership.sync(parent)
      if (this.#parents.size > 1) await setImmediate()
    }
  }

  /**
   * The main process is gone: the recorders tell what the workers were in, and whoever of them still runs has nobody to
   * work for.
   */
  async #lookAfterEnd(root: ProcessIdentity, exit: RootExit): Promise<{ readonly busy: boolean }> {
    await this.#syncParents()
    this.#membership.syncNotes(this.#nodes?.read() ?? [])
    // Ended by a signal it leaves what it waited for, also what nobody has looked for while it lived.
    if (exit.signal !== null && !this.#isTreeComplete) {
      this.#isTreeComplete = true
      await this.#membership.syncTree(root)
    }
    await this.#membership.noteExits(exit)
    const agoMs = steadyMs() - exit.steadyAt
    const left = this.#membership.live
    if (left.length === 0) {
      await this.#finish()
      return { busy: false }
    }
    // Most leave by themselves when they find that their program is gone.
    if (agoMs >= leavesWithinMs) {
      for (const part of [this, ...this.pools]) {
        const workers = part.members
          .live()
          .map(({ name, pid, recorded }) => ({ name, pid, isWorker: recorded !== undefined }))
        part.judge(
          leftBehind({
            program: this.name,
            pid: root.pid,
            exit: exitNotation(exit.exitCode, exit.signal),
            endedByItself: exit.exitCode !== null,
            agoMs,
            workers,
          }),
        )
      }
    }
    for (const part of [this, ...this.pools]) part.tellChanges()
    return { busy: this.#context.somebodyLooks() || agoMs < leavesWithinMs }
  }

  async #finish(): Promise<void> {
    for (const pool of this.pools) pool.end(Date.now())
    for (const parent of this.#parents) parent.close()
    this.end(Date.now())
    await this.#session?.close()
    void this.#schedule.stop()
  }
}
