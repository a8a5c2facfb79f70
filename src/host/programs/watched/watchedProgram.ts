import type { Socket } from 'node:net'
import type { ProcessIdentity } from '../../../processes'
import type { PoolHeader, RescueAction, WatchOptions } from '../../../protocol'
import type { ShutdownRequest } from '../../../shutdown'
import type { ShutdownOrder } from '../../pools/hostedPool'
import type { ProgramContext } from '../context/programContext'
import { steadyMs } from '../context/steadyTime'
import { belongsTo } from '../members/belongsTo'
import { MemberSampler } from '../members/memberSampler'
import type { ParentView } from '../members/parentView'
import type { ProgramMember } from '../members/programMember'
import { keepsObserverOut } from '../observers/keepsObserverOut'
import { NodeProcesses, type NodeProcess } from '../observers/nodeProcesses'
import type { WatchSession } from '../observers/watchSession'
import type { RescueOutcome } from '../parts/continueMember'
import { Program } from '../parts/program'
import type { ProgramPart } from '../parts/programPart'
import { Membership } from './membership'
import { ObserversInside } from './observersInside'
import { targetsOf } from './programEnding'
import { ProgramLook } from './programLook'
import { failureText, programSnapshot, type RootExit } from './programSnapshot'
import { Rescuer } from './rescuer'
import { StuckPolicy } from './stuckPolicy'
import type { PoolOwner, WatchedPool } from './watchedPool'

/** Lower real-time signals that the kernel has are glibc's own. */
const firstRealTimeSignal = 34
/** The time that the starter of the program has to report its exit code, once it is gone. */
const exitReportedWithinMs = 2000

export interface WatchedProgramOptions {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly watch: WatchOptions
  /** Started by this host for a task, and ended with it; else by a terminal. */
  readonly owned: boolean
  /** The label of the task in tasks.json. */
  readonly label: string | null
}

/**
 * A program of the user's own under watch: its processes, the pools it makes, and what is wrong with them. Its starter
 * (a terminal, or this host for a task) reports its start and its end; all else is seen from outside, or reported by
 * its observers.
 */
export class WatchedProgram extends Program implements PoolOwner {
  readonly kind = 'watched'
  readonly #session: WatchSession
  readonly #nodes: NodeProcesses
  readonly #observers: ObserversInside
  readonly #membership: Membership
  readonly #look: ProgramLook
  readonly #rescuer: Rescuer
  readonly #policy: StuckPolicy
  #rootExit: RootExit | undefined
  #rootGoneAt: number | undefined

  constructor(
    id: string,
    name: string,
    readonly options: WatchedProgramOptions,
    session: WatchSession,
    context: ProgramContext,
  ) {
    super(id, name, options.owned, context, options.watch)
    this.#session = session
    this.#nodes = new NodeProcesses(session.directory)
    this.#observers = new ObserversInside(this, session, context, keepsObserverOut(options.argv) ?? null, () => {
      this.schedule.hurry()
    })
    // A program that recycles its workers for weeks would fill the folder.
    this.#membership = new Membership(this, this.#observers.parents, context, (pid) => {
      session.remove(`stack-${pid}`)
    })
    this.#look = new ProgramLook({
      program: this,
      watch: options.watch,
      membership: this.#membership,
      observers: this.#observers,
      nodes: this.#nodes,
      session,
      sampler: new MemberSampler(context.processes, context.kills, (identity) =>
        belongsTo(identity, this.root, this.#marker, context.processes),
      ),
      context,
      rootExit: () => this.#rootExit,
      mayAsk: (signal) => this.mayAsk(signal),
    })
    this.#rescuer = new Rescuer(context)
    this.#policy = this.#makePolicy()
  }

  get root(): ProcessIdentity | undefined {
    return this.#membership.root?.identity
  }

  get pools(): readonly WatchedPool[] {
    return this.#membership.pools
  }

  /** The signal by which Unhang ended the program, or tried to; null where it did not. */
  get endedBy(): 'SIGTERM' | 'SIGKILL' | null {
    const sent =
      this.root === undefined
        ? []
        : this.context.kills.entriesFor(this.root).filter(({ outcome }) => outcome === 'sent')
    if (sent.some(({ signal }) => signal === 'SIGKILL')) return 'SIGKILL'
    return sent.some(({ signal }) => signal === 'SIGTERM') ? 'SIGTERM' : null
  }

  /** A Node process of the program has started or ended a child. */
  noted(): void {
    this.schedule.hurry()
  }

  /** A process connects to the session's socket. */
  connected(socket: Socket, token: string): void {
    this.#observers.connected(socket, token)
  }

  /** The main process runs. */
  async started(root: ProcessIdentity): Promise<void> {
    await this.#membership.started(root)
    // The exit may have been reported meanwhile.
    if (!this.live) return
    if (!this.owned && this.#rootExit === undefined) this.context.terminalPrograms()?.started(root, this)
    this.schedule.start()
    this.tellChanges()
  }

  /** The main process has ended; the first report is right. */
  exited(exit: { exitCode: number | null; signal: NodeJS.Signals | null }): void {
    if (this.#rootExit !== undefined || !this.live) return
    this.#rootExit = { ...exit, at: Date.now(), steadyAt: steadyMs() }
    if (this.root !== undefined) this.context.terminalPrograms()?.exited(this.root)
    // The program could not be started, or was over before the first look.
    if (this.root === undefined) void this.abandon()
    else this.schedule.hurry()
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
      program: programSnapshot({
        argv: this.options.argv,
        pid: this.root?.pid,
        python: this.#observers.python,
        node: this.#nodes.version,
        observerFailure: this.#observers.failure,
        exit: this.#rootExit,
      }),
      failure: failureText(this.name, this.#rootExit, this.endedBy),
    }
  }

  override rescue(part: ProgramPart, action: RescueAction, askedBy: 'user' | 'cli' | 'policy'): Promise<RescueOutcome> {
    const pool = this.pools.find((candidate) => candidate === part)
    if (action.kind === 'continue' || pool === undefined) return super.rescue(part, action, askedBy)
    return action.kind === 'release'
      ? this.#rescuer.release(pool, action.lock)
      : this.#rescuer.task(pool, action.task, action.kind)
  }

  findMember(pid: number): ProgramMember | undefined {
    return this.#membership.live.find((member) => member.pid === pid)
  }

  /** Whether the kernel says that a process is the program's own: all else that tells of it is the program's word. */
  async owns(identity: ProcessIdentity): Promise<boolean> {
    const { startTime } = this.findMember(identity.pid)?.identity ?? {}
    return (
      startTime === identity.startTime || (await belongsTo(identity, this.root, this.#marker, this.context.processes))
    )
  }

  /** The observer in that process, while it is connected. */
  parentOf(pid: number): ParentView | undefined {
    return this.#observers.of(pid)
  }

  /** The observer in that Node process, and where its files are. */
  nodeProcess({
    pid,
    startTime,
  }: ProcessIdentity): { readonly node: NodeProcess; readonly file: (name: string) => string } | undefined {
    const node = this.#nodes.find(pid, startTime)
    return node && { node, file: (name) => this.#nodes.file(name) }
  }

  /** Which signal asks for stacks is the program's word: one that means something else to it is never sent. */
  mayAsk(signal: number): boolean {
    return signal >= firstRealTimeSignal || (signal !== 0 && signal === this.options.watch.stackSignal)
  }

  sessionFile(name: string): string {
    return this.#session.file(name)
  }

  /** The host ends, or the program was never started: it is not watched any more. */
  async leave(): Promise<void> {
    await this.schedule.stop()
    this.#observers.close()
    await this.#session.close()
  }

  /** The program leaves the list, and its pools with it: without their program they mean nothing. */
  override dispose(): Promise<void> {
    for (const { id } of this.pools) if (this.context.pools.has(id)) this.context.pools.remove(id)
    return Promise.resolve()
  }

  /** The program was never started: it leaves the list as ended. */
  async abandon(): Promise<void> {
    try {
      await this.leave()
    } catch (error) {
      this.context.log.error('A program was not cleaned up.', { program: this.name, error: String(error) })
    }
    this.end(Date.now())
  }

  protected async lookOnce(): Promise<{ readonly busy: boolean }> {
    const { root } = this
    if (!this.live || root === undefined) return { busy: false }
    if (this.#rootExit !== undefined) {
      const { left, busy } = await this.#look.afterEnd(root, this.#rootExit)
      if (left === 0) await this.#finish()
      return { busy }
    }
    await this.#look.whileRunning(root)
    await this.#policy.act(this.#look.parts)
    const row = await this.context.processes.inspect(root)
    if (row === undefined) {
      this.#rootGoneAt ??= steadyMs()
      // The terminal has died with the program, or is slow: only the starter knows how the program ended.
      if (steadyMs() - this.#rootGoneAt > exitReportedWithinMs) this.exited({ exitCode: null, signal: null })
    }
    const isLookedAt = this.context.somebodyLooks() || (this.options.watch.onStuck ?? 'flag') !== 'flag'
    return { busy: isLookedAt && this.#look.waits }
  }

  protected async endRequest(order: ShutdownOrder): Promise<ShutdownRequest> {
    const targets = await targetsOf(this.#membership.live, this.#observers.parents, this.#marker, this.context)
    const root = this.#rootExit === undefined ? undefined : this.root
    return {
      ...this.request({ id: this.id, name: this.name }, targets, order),
      formerWorkers: root === undefined ? [] : [{ identity: root, name: 'MainProcess', marker: this.#marker }],
    }
  }

  /** The environment of the program and of all below it has this. */
  get #marker(): string {
    return `${this.id}/main`
  }

  #makePolicy(): StuckPolicy {
    const { context, name } = this
    return new StuckPolicy(
      this.options.watch.onStuck ?? 'flag',
      {
        id: this.id,
        rescuer: this.#rescuer,
        hurry: () => {
          this.schedule.hurry()
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

  async #finish(): Promise<void> {
    for (const pool of this.pools) pool.end(Date.now())
    this.#observers.close()
    this.end(Date.now())
    await this.#session.close()
    void this.schedule.stop()
  }
}
