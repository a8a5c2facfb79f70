import { basename } from 'node:path'
import type { Socket } from 'node:net'
import { judgeProgramPool } from '../../diagnosis'
import { signalName, signalNumber, type ProcessIdentity } from '../../processes'
import { errorCodes, type PoolHeader, type ProgramSnapshot, type WatchOptions } from '../../protocol'
import { explainExit, shutDown, type ShutdownReport, type ShutdownTarget } from '../../shutdown'
import { RequestError } from '../connection/requestHandlers'
import type { ShutdownOrder } from '../pools/hostedPool'
import { continueMember, type RescueOutcome } from './continueMember'
import { LookRhythm } from './lookRhythm'
import { MemberLook } from './memberLook'
import { ObserverLink } from './observerLink'
import { rescueAnswerSchema, type ObservedPool } from './observerMessages'
import { ParentView } from './parentView'
import type { ProgramContext } from './programContext'
import { poolFacts, processFacts } from './programFacts'
import { ProgramMember } from './programMember'
import { ProgramPart } from './programPart'
import { readSignalStack } from './signalStack'
import { WatchedPool, type PoolOwner } from './watchedPool'
import type { WatchSession } from './watchSession'

/** As the engine's own pools. */
const defaultStuckAfterMs = 30_000
const defaultGracePeriodMs = 100
/** A process that is gone without its parent having told its exit code: by then it will not tell any more. */
const exitToldWithinMs = 1000
/** Pools of a program that have ended and lost nothing: a loop may make thousands. */
const listedEndedPools = 10
/** A task that is quiet for this long may show where it is. */
const stackAfterMs = 1500
/** Children of a program are looked for by a pass over the process table, so not at every look. */
const treeEveryMs = 2000

export interface WatchedProgramOptions {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly watch: WatchOptions
  /** Started by this host for a task, and ended with it; else by somebody's terminal. */
  readonly owned: boolean
  /** The label of the task in tasks.json. */
  readonly label: string | null
}

/**
 * A program of the user's own under watch: its processes, the pools it makes, and what is wrong with them. Whoever started it (a
 * terminal, or this host for a task) tells of its start and its end; all else is seen from outside, or told by its observers.
 */
export class WatchedProgram extends ProgramPart implements PoolOwner {
  private session: WatchSession | undefined
  private root: ProcessIdentity | undefined
  private rootExit: { exitCode: number | null; signal: NodeJS.Signals | null } | undefined
  private readonly parents = new Set<ParentView>()
  private readonly inner = new Map<string, WatchedPool>()
  private readonly known = new Map<string, { member: ProgramMember; pool: WatchedPool | undefined; goneAt?: number }>()
  private readonly retries = new Map<string, number>()
  private readonly memberLook: MemberLook
  private readonly rhythm: LookRhythm
  private observerFailure: string | null = null
  private oomKillsBefore: number | null = null
  private treeAt = 0
  private poolNumber = 0
  private acting = false

  constructor(id: string, name: string, readonly options: WatchedProgramOptions, private readonly context: ProgramContext) {
    super(id, name, Date.now(), {
      headerChanged: () => { context.state.headerChanged(id) },
      workerChanged: (worker) => { context.state.workerChanged(id, worker) },
      workerRemoved: (worker) => { context.state.workerRemoved(id, worker) },
      ended: () => { context.ended(this) },
    })
    this.memberLook = new MemberLook(context.processes, context.kills)
    this.rhythm = new LookRhythm(() => this.lookOnce(), (error) => { context.log.error('A look at a program failed.', { program: name, error: String(error) }) })
  }

  /** Whoever connects to the session's socket; nothing is believed before its hello. */
  connected(socket: Socket, token: string): void {
    const { log } = this.context
    const parent = new Map<ObserverLink, ParentView>()
    new ObserverLink(socket, token, {
      ready: (link, hello) => {
        if (!this.session || !this.live) return
        const view = new ParentView(hello, link, this.session, (error) => { log.debug('An observer did not answer.', { program: this.name, pid: hello.pid, error: String(error) }) })
        parent.set(link, view)
        this.parents.add(view)
        log.info('An observer is inside.', { program: this.name, pid: hello.pid, python: hello.python })
        this.rhythm.hurry()
      },
      changed: () => { this.rhythm.hurry() },
      failed: (message) => {
        this.observerFailure = message
        log.warn('An observer has disabled itself.', { program: this.name, message })
        this.rhythm.hurry()
      },
      gone: () => { this.rhythm.hurry() },
      refused: (why) => { log.warn('An observer was turned away.', { program: this.name, why }) },
    })
  }

  opened(session: WatchSession): void {
    this.session = session
  }

  /** Its main process runs. */
  started(root: ProcessIdentity): void {
    this.root = root
    const member = new ProgramMember('root', 'MainProcess', root.pid, Date.now())
    member.identity = root
    this.known.set('root', { member, pool: undefined })
    this.members.add(member)
    void this.context.processes.oomKills(root).then((kills) => { this.oomKillsBefore = kills })
    this.rhythm.start()
    this.tellChanges()
  }

  /** Its main process has ended; the first to tell is right. */
  exited(exit: { exitCode: number | null; signal: NodeJS.Signals | null }): void {
    if (this.rootExit !== undefined || !this.live) return
    this.rootExit = exit
    void this.finish()
  }

  /** A task's program is ours; one in somebody's terminal is not. */
  override get owned(): boolean {
    return this.options.owned
  }

  override header(): PoolHeader {
    const header = super.header()
    const verdicts = this.live ? header.verdicts : []
    return { ...header, kind: 'program', state: this.state, label: this.options.label, program: this.programSnapshot(), verdicts, failure: this.failureText() }
  }

  private get state(): PoolHeader['state'] {
    if (!this.live) return 'ended'
    return this.root === undefined ? 'init' : 'run'
  }

  private programSnapshot(): ProgramSnapshot {
    const [first] = this.parents
    return {
      argv: [...this.options.argv],
      pid: this.root?.pid ?? null,
      python: first?.hello.python ?? null,
      observer: this.observerFailure !== null ? 'failed' : first === undefined ? 'waiting' : 'inside',
      message: this.observerFailure,
      exitCode: this.rootExit?.exitCode ?? null,
      signal: this.rootExit?.signal ?? null,
      readOnly: false,
    }
  }

  private failureText(): string | null {
    if (this.live || this.rootExit === undefined) return null
    const { exitCode, signal } = this.rootExit
    if (signal !== null) return `${this.name} was ended by ${signal}`
    return exitCode === 0 ? null : `${this.name} exited with code ${exitCode ?? 'unknown'}`
  }

  get pools(): WatchedPool[] {
    return [...this.inner.values()]
  }

  get grace(): number {
    return this.options.watch.gracePeriodMs ?? defaultGracePeriodMs
  }

  /** A look now; settles when its verdicts are in the snapshot. */
  look(): Promise<void> {
    return this.live ? this.rhythm.now() : Promise.resolve()
  }

  // ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private async lookOnce(): Promise<{ readonly busy: boolean }> {
    if (!this.live) return { busy: false }
    await Promise.all([...this.parents].map((parent) => parent.refresh()))
    for (const parent of this.parents) this.sync(parent)
    const now = Date.now()
    if (this.parents.size === 0 || now - this.treeAt > treeEveryMs) await this.syncTree(now)
    await this.noteExits()
    const parents = [...this.parents].filter((parent) => parent.link.connected)
    const awaited = this.awaitedMembers()
    const live = [...this.known.values()].map(({ member }) => member).filter((member) => member.live)
    await this.memberLook.observe(live, parents, (member) => awaited.has(member), now)
    await this.takeStacks(now)
    await this.judgeAll()
    this.tellAll()
    await this.act()
    if (this.rootExit === undefined && this.root !== undefined && !(await this.isThere(this.root))) this.exited({ exitCode: null, signal: null })
    return { busy: this.pools.some((pool) => pool.live && (pool.observed.jobs.length > 0 || (pool.observed.queued ?? 0) > 0)) || this.parents.size === 0 }
  }

  /** Pools and workers as a parent's observer and recorder tell of them. */
  private sync(parent: ParentView): void {
    const { observed } = parent
    if (observed === undefined) return
    for (const pool of observed.pools) this.syncPool(parent, pool)
    if (parent.answers) {
      const keys = new Set(observed.pools.filter(({ state }) => state !== 'ended').map(({ key }) => key))
      for (const pool of this.pools) if (pool.parent === parent && pool.live && !keys.has(pool.key)) this.endPool(pool)
    }
    for (const recorded of parent.processes) {
      if (recorded.slot === 0 || recorded.pid === 0) continue
      const key = `${parent.pid}:${recorded.slot}:${recorded.generation}`
      let known = this.known.get(key)
      if (known === undefined) {
        const pool = recorded.poolKey === 0 ? undefined : this.inner.get(`${parent.pid}:${recorded.poolKey}`)
        if (recorded.poolKey !== 0 && pool === undefined) continue
        const members = pool?.members ?? this.members
        known = { member: new ProgramMember(key, members.uniqueName(recorded.name, recorded.pid), recorded.pid, recorded.startedAt), pool }
        this.forgetChild(recorded.pid)
        this.known.set(key, known)
        members.add(known.member)
      }
      const { member, pool } = known
      if (!member.live && member.rescued !== undefined) continue
      member.recorded = recorded
      const named = observed.tasks[String(recorded.slot)]
      if (named?.counter === recorded.counter) member.named = named
      pool?.nameTask(member)
    }
  }

  private syncPool(parent: ParentView, observed: ObservedPool): void {
    const key = `${parent.pid}:${observed.key}`
    const known = this.inner.get(key)
    if (known !== undefined) {
      known.observed = observed
      return
    }
    if (observed.state === 'ended') return
    const { context } = this
    const id = `${this.id}.${(this.poolNumber += 1)}`
    const pool = new WatchedPool(id, parent, observed, this, {
      headerChanged: () => { context.state.headerChanged(id) },
      workerChanged: (worker) => { context.state.workerChanged(id, worker) },
      workerRemoved: (worker) => { context.state.workerRemoved(id, worker) },
      ended: () => { context.ended(pool) },
    })
    this.inner.set(key, pool)
    context.pools.add(pool)
  }

  private endPool(pool: WatchedPool): void {
    pool.end(Date.now())
    const ended = this.pools.filter((other) => !other.live && other.members.counts().lost === 0)
    for (const old of ended.slice(0, Math.max(0, ended.length - listedEndedPools))) this.forgetPool(old)
  }

  private forgetPool(pool: WatchedPool): void {
    for (const [key, inner] of this.inner) if (inner === pool) this.inner.delete(key)
    for (const [key, known] of this.known) if (known.pool === pool && !known.member.live) this.known.delete(key)
    if (this.context.pools.has(pool.id)) this.context.pools.remove(pool.id)
  }

  /** Children that no observer tells of: what a shell or a Node program starts, subprocesses of a Python program. */
  private async syncTree(now: number): Promise<void> {
    if (this.root === undefined) return
    this.treeAt = now
    const below = (await this.context.processes.descendants([{ identity: this.root, marker: `${this.id}/main` }])).get(this.root.pid) ?? []
    const observed = new Set([...this.parents].flatMap((parent) => [parent.pid, ...parent.processes.map(({ pid }) => pid)]))
    for (const parent of this.parents) {
      const { resourceTracker = null, forkServer = null } = parent.observed?.helpers ?? {}
      for (const pid of [resourceTracker, forkServer]) if (pid !== null) observed.add(pid)
    }
    for (const row of below) {
      const { pid } = row.identity
      if (observed.has(pid) || this.known.has(`child:${pid}`) || row.state === 'zombie') continue
      const member = new ProgramMember(`child:${pid}`, this.members.uniqueName(`${row.command}-${pid}`, pid), pid, now)
      member.identity = row.identity
      this.known.set(member.key, { member, pool: undefined })
      this.members.add(member)
    }
  }

  /** It was seen as a mere child before its parent told what it is. */
  private forgetChild(pid: number): void {
    const child = this.known.get(`child:${pid}`)
    if (child === undefined) return
    this.known.delete(`child:${pid}`)
    this.members.remove(child.member)
  }

  private async noteExits(): Promise<void> {
    for (const known of this.known.values()) {
      const { member } = known
      if (!member.live) continue
      const { recorded } = member
      if (recorded?.exitCode != null) {
        await this.noteExit(known, splitExit(recorded.exitCode), recorded.exitedAt ?? Date.now())
        continue
      }
      if (member.identity === undefined || (member.key === 'root' && this.rootExit === undefined)) continue
      if (await this.isThere(member.identity)) continue
      // Its parent collects it and tells how it ended; when it does not, nobody knows.
      const status = await this.context.processes.exitStatus(member.identity)
      known.goneAt ??= Date.now()
      if (status !== undefined) await this.noteExit(known, status, known.goneAt)
      else if (Date.now() - known.goneAt > exitToldWithinMs || recorded === undefined) await this.noteExit(known, { exitCode: null, signal: null }, known.goneAt)
    }
  }

  private async noteExit({ member, pool }: { member: ProgramMember; pool: WatchedPool | undefined }, exit: { exitCode: number | null; signal: NodeJS.Signals | null }, at: number): Promise<void> {
    const { kills, processes } = this.context
    const cause = member.identity ? explainExit(exit, kills.entriesFor(member.identity)) : undefined
    let oomKills: number | null = null
    if (exit.signal === 'SIGKILL' && this.root !== undefined) {
      const total = await processes.oomKills(this.root)
      oomKills = total === null || this.oomKillsBefore === null ? null : total - this.oomKillsBefore
    }
    member.exit = { ...exit, at, oomKills, endedByUs: cause?.kind === 'ours' ? { askedBy: cause.entry.askedBy, reason: cause.entry.reason } : null }
    ;(pool?.members ?? this.members).exited()
  }

  private awaitedMembers(): Set<ProgramMember> {
    const awaited = new Set<ProgramMember>()
    for (const pool of this.pools) {
      if (!pool.live || (pool.observed.jobs.length === 0 && pool.parent.answers)) continue
      for (const member of pool.members.live()) awaited.add(member)
    }
    return awaited
  }

  /** Where quiet tasks that wait for a lock are: that tells one that waits for its own pool from one that nobody can wake. */
  private async takeStacks(now: number): Promise<void> {
    const { session } = this
    if (session === undefined) return
    for (const { member } of this.known.values()) {
      const { recorded, identity } = member
      if (!member.live || identity === undefined || recorded === undefined || !member.hasTask || member.stackCounter === recorded.counter) continue
      // Only what waits for a lock is interrupted: it goes on waiting, where a system call of a library might fail.
      if (member.wait?.kind !== 'futex' || member.movement.quietMs(now) < stackAfterMs || recorded.stackSignal === 0) continue
      member.stackCounter = recorded.counter
      const threads = await readSignalStack(session.file(`stack-${member.pid}`), identity, recorded.stackSignal, this.context)
      const main = threads?.find(({ current }) => current) ?? threads?.at(-1)
      member.stack = main?.frames.map(({ file, line, function: name }) => ({ file, line, function: name })) ?? null
    }
  }

  private async judgeAll(): Promise<void> {
    const now = Date.now()
    const stuckAfterMs = this.options.watch.stuckAfterMs ?? defaultStuckAfterMs
    for (const pool of this.pools) {
      if (!pool.live) continue
      const parentState = pool.parent.identity ? ((await this.context.processes.inspect(pool.parent.identity))?.state ?? 'unknown') : 'unknown'
      pool.judge(judgeProgramPool(poolFacts(pool, pool.members.all(), { stuckAfterMs, parentState }, now)))
    }
    const main = this.known.get('root')?.member
    if (main === undefined) return
    const others = this.members.all().filter((member) => member !== main)
    const parent = { pid: main.pid, state: main.state, answers: [...this.parents].some(({ answers }) => answers), waitsIn: null, quietMs: main.movement.quietMs(now) }
    this.judge(judgeProgramPool(processFacts(this.name, 'processes', parent, others, stuckAfterMs, now)))
  }

  private tellAll(): void {
    this.tellChanges()
    for (const pool of this.pools) pool.tellChanges()
  }

  // ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What `onStuck` says, once for each cause. */
  private async act(): Promise<void> {
    const { onStuck = 'flag' } = this.options.watch
    if (onStuck === 'flag' || this.acting) return
    for (const pool of [...this.pools, this]) {
      const stuck = pool.verdicts.filter((verdict) => verdict.stuck)
      const [first] = stuck
      if (first === undefined) continue
      if (onStuck !== 'retry') {
        this.acting = true
        this.shutdown({ kill: onStuck === 'kill', askedBy: 'policy', reason: first.summary }).catch((error: unknown) => { this.context.log.error('A program was not ended.', error) })
        return
      }
      if (pool instanceof WatchedPool) await this.retryByPolicy(pool)
    }
  }

  private async retryByPolicy(pool: WatchedPool): Promise<void> {
    for (const option of pool.verdicts.filter(({ stuck }) => stuck).flatMap(({ rescue }) => rescue)) {
      const key = option.kind === 'task' ? `${pool.id} ${option.task.replace(/^.*\./, '')} ${option.label}` : `${pool.id} ${option.kind} ${option.pid}`
      const tries = (this.retries.get(key) ?? 0) + 1
      if (tries > mostRetries || (option.kind === 'task' && !option.retriable)) continue
      this.retries.set(key, tries)
      const outcome = option.kind === 'task' ? await this.rescueTask(pool, option.task, 'retry')
        : option.kind === 'lock' ? await this.release(pool, option.lock) : await continueMember(pool, option.pid, 'policy', this.context)
      this.context.log.info('A rescue by "onStuck".', { pool: pool.name, ...outcome })
      this.rhythm.hurry()
    }
  }

  /** Fails a lost task in the program, or puts it into the queue again. */
  async rescueTask(pool: WatchedPool, taskId: string, how: 'fail' | 'retry'): Promise<RescueOutcome> {
    const member = pool.members.all().find((candidate) => !candidate.live && candidate.hasTask && candidate.taskId === taskId && candidate.rescued === undefined)
    const { recorded, exit } = member ?? {}
    if (member === undefined || recorded === undefined || exit === undefined) return { done: false, text: `there is no lost task ${taskId} in ${pool.name} any more` }
    const exitCode = multiprocessingExit(exit)
    const params = how === 'fail'
      ? { pool: pool.key, job: recorded.job, index: recorded.index, worker: member.name, pid: member.pid, exitCode, label: member.label }
      : { pool: pool.key, slot: recorded.slot, generation: recorded.generation, counter: recorded.counter }
    const answer = await this.ask(pool, how, params)
    if (!answer.done) return { done: false, text: `${member.label} was left as it is: ${answer.why}` }
    member.rescued = how === 'fail' ? 'failed' : 'retried'
    return { done: true, text: how === 'fail' ? `${member.label} fails in the program with WorkerLost` : `${member.label} is in the queue again` }
  }

  /** Releases a queue lock whose holder is dead, by its own note. */
  async release(pool: WatchedPool, lock: 'tasks' | 'results'): Promise<RescueOutcome> {
    const holder = pool.members.all().find((member) => !member.live && member.recorded?.holds.includes(lock) === true)
    if (holder?.recorded === undefined) return { done: false, text: `nobody is proven to have died with the lock of the ${lock} of ${pool.name}, so it was not released` }
    if (await this.isAlive(holder)) return { done: false, text: `${holder.name} (pid ${holder.pid}) still runs, so its lock was not released` }
    const answer = await this.ask(pool, 'release', { pool: pool.key, lock, slot: holder.recorded.slot, generation: holder.recorded.generation })
    return answer.done ? { done: true, text: `the lock of the ${lock} that ${holder.name} (pid ${holder.pid}) died with is released` } : { done: false, text: `the lock was left as it is: ${answer.why}` }
  }

  continueProcess(pid: number, askedBy: 'user' | 'cli' | 'policy'): Promise<RescueOutcome> {
    const part = [this, ...this.pools].find((candidate) => candidate.members.byPid(pid) !== undefined) ?? this
    return continueMember(part, pid, askedBy, this.context)
  }

  private async ask(pool: WatchedPool, method: string, params: Readonly<Record<string, unknown>>): Promise<{ done: boolean; why: string }> {
    try {
      return await pool.parent.link.ask(method, params, rescueAnswerSchema, 3000)
    } catch (error) {
      return { done: false, why: error instanceof Error ? error.message : String(error) }
    }
  }

  // ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async shutdown(order: ShutdownOrder): Promise<ShutdownReport> {
    await this.stopRefill()
    await this.rhythm.now()
    const { watch } = this.options
    const marker = `${this.id}/main`
    const targets: ShutdownTarget[] = []
    for (const { member } of this.known.values()) {
      if (!member.live || member.identity === undefined) continue
      const isRoot = member.key === 'root'
      targets.push({ identity: member.identity, name: member.name, rank: isRoot || this.isParent(member.pid) ? 1 : 0, ...(isRoot ? { marker } : {}) })
    }
    targets.push(...(await this.helperTargets()))
    const report = await this.run({ id: this.id, name: this.name }, targets, {
      ...order, gracePeriodMs: order.gracePeriodMs ?? this.grace, useSigkill: order.useSigkill ?? watch.useSigkill ?? false,
    })
    this.lastIssues = report.issues
    for (const pool of this.pools) pool.noteIssues(report.issues)
    this.rhythm.hurry()
    return report
  }

  shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    return this.shutdownMember(this, pid, order)
  }

  async shutdownMember(pool: ProgramPart, pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    const member = pool.members.byPid(pid)
    if (member?.identity === undefined) throw new RequestError(errorCodes.notFound, `${pool.name} has no live worker with pid ${pid}.`)
    // Without its main process nothing is left of a program that anybody could want.
    if (member.key === 'root') return this.shutdown(order)
    const report = await this.run({ id: pool.id, name: member.name, kind: 'worker' }, [{ identity: member.identity, name: member.name }], {
      ...order, gracePeriodMs: order.gracePeriodMs ?? this.grace, useSigkill: order.useSigkill ?? this.options.watch.useSigkill ?? false,
    })
    this.rhythm.hurry()
    return report
  }

  private async run(subject: { id: string; name: string; kind?: 'worker' }, targets: readonly ShutdownTarget[], order: ShutdownOrder & { gracePeriodMs: number; useSigkill: boolean }): Promise<ShutdownReport> {
    const { processes, kills } = this.context
    const report = await shutDown({
      subject, targets, gracePeriodMs: order.gracePeriodMs, useSigkill: order.useSigkill, kill: order.kill, reason: order.reason, askedBy: order.askedBy,
    }, { processes, ledger: kills })
    this.context.shutdown(report, order)
    return report
  }

  /** A pool that goes on to replace its workers would make the shutdown a race. One that does not answer cannot refill either, or is caught as a descendant. */
  private async stopRefill(): Promise<void> {
    await Promise.all([...this.parents].filter(({ link }) => link.connected).map((parent) =>
      parent.link.ask('stopRefill', {}, rescueAnswerSchema, 300).catch((error: unknown) => { this.context.log.debug('The refill was not stopped.', { program: this.name, error: String(error) }) })))
  }

  /** The resource tracker cleans up after the program, and the fork server ends by itself: they come last. */
  private async helperTargets(): Promise<ShutdownTarget[]> {
    const targets: ShutdownTarget[] = []
    for (const parent of this.parents) {
      const { resourceTracker = null, forkServer = null } = parent.observed?.helpers ?? {}
      for (const [name, pid] of [['fork server', forkServer], ['resource tracker', resourceTracker]] as const) {
        if (pid === null) continue
        const identity = await this.context.processes.identify(pid)
        const row = identity && (await this.context.processes.inspect(identity))
        // The pid is the program's word: only its own child is taken for it.
        if (identity !== undefined && row?.parentPid === parent.pid) targets.push({ identity, name, rank: 2 })
      }
    }
    return targets
  }

  private isParent(pid: number): boolean {
    return [...this.parents].some((parent) => parent.pid === pid)
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The main process is gone: one last look at the recorder tells what the workers were in. */
  private async finish(): Promise<void> {
    await this.rhythm.stop()
    for (const parent of this.parents) parent.read()
    for (const parent of this.parents) this.sync(parent)
    const main = this.known.get('root')
    if (main?.member.live === true && this.rootExit !== undefined) await this.noteExit(main, this.rootExit, Date.now())
    await this.noteExits()
    for (const pool of this.pools) pool.end(Date.now())
    for (const parent of this.parents) parent.close()
    this.end(Date.now())
    await this.session?.close()
  }

  /** The host ends, and the program goes on without being watched. */
  async leave(): Promise<void> {
    await this.rhythm.stop()
    for (const parent of this.parents) parent.close()
    await this.session?.close()
  }

  /** Never started, or nobody told: it is taken off the list. */
  async abandon(): Promise<void> {
    await this.leave()
    this.end(Date.now())
  }

  /** Member of any of its pools. */
  findMember(pid: number): ProgramMember | undefined {
    return [...this.known.values()].map(({ member }) => member).find((member) => member.live && member.pid === pid)
  }

  parentOf(pid: number): ParentView | undefined {
    return [...this.parents].find((parent) => parent.pid === pid && parent.link.connected)
  }

  sessionFile(name: string): string | undefined {
    return this.session?.file(name)
  }

  get rootIdentity(): ProcessIdentity | undefined {
    return this.root
  }

  private async isThere(identity: ProcessIdentity): Promise<boolean> {
    const row = await this.context.processes.inspect(identity)
    return row !== undefined && row.state !== 'zombie'
  }

  private async isAlive(member: ProgramMember): Promise<boolean> {
    return member.identity !== undefined && this.isThere(member.identity)
  }
}

/** A task that ends every worker it runs in is not run again and again. */
const mostRetries = 3

/** `train.py` of `python3 -u train.py --fast`. */
export function programName(argv: readonly string[]): string {
  const [program = 'program', ...rest] = argv
  const name = basename(program)
  if (!/^(?:python|pypy|node|py)[\d.]*(?:\.exe)?$/.test(name)) return name
  const module = rest.indexOf('-m')
  const script = rest.find((argument) => !argument.startsWith('-'))
  if (module >= 0 && rest[module + 1] !== undefined && (script === undefined || rest.indexOf(script) > module)) return rest[module + 1] ?? name
  return rest.includes('-c') ? `${name} -c` : script === undefined ? name : basename(script)
}

function splitExit(code: number): { exitCode: number | null; signal: NodeJS.Signals | null } {
  const signal = code < 0 ? signalName(-code) : undefined
  return signal === undefined ? { exitCode: code, signal: null } : { exitCode: null, signal }
}

function multiprocessingExit({ exitCode, signal }: { exitCode: number | null; signal: NodeJS.Signals | null }): number | null {
  return signal === null ? exitCode : -(signalNumber(signal) ?? 0)
}
