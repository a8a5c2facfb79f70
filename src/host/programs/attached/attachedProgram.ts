import { judgeProgramPool, readersAmong, recogniseProcess } from '../../../diagnosis'
import { isAlive, type ProcessIdentity, type ProcessRow } from '../../../processes'
import { errorCodes, type PoolHeader } from '../../../protocol'
import type { ShutdownRequest, ShutdownTarget } from '../../../shutdown'
import { RequestError } from '../../terms/requestError'
import type { ShutdownOrder } from '../../pools/hostedPool'
import { MemberSampler } from '../members/memberSampler'
import type { ProgramContext } from '../context/programContext'
import { parentWaits, processFacts } from '../parts/programFacts'
import { ProgramMember } from '../members/programMember'
import { Program } from '../parts/program'
import type { ProgramPart } from '../parts/programPart'
import { steadyMs } from '../context/steadyTime'

const stuckAfterMs = 30_000
/** Roles that come last when an attached program is ended. */
const helperRoles: ReadonlySet<string> = new Set(['resource-tracker', 'semaphore-tracker', 'fork-server'])

/**
 * A program that ran already when somebody asked what is wrong with it: known by /proc alone, its children as workers.
 * It is only looked at until somebody was shown all of its processes and confirmed them.
 */
export class AttachedProgram extends Program {
  readonly kind = 'attached'
  readonly #root: ProcessIdentity
  readonly #argv: readonly string[]
  readonly pools: readonly ProgramPart[] = []
  readonly #known = new Map<string, ProgramMember>()
  readonly #helpers = new Set<string>()
  /** By pid, as far as they could be read. */
  readonly #commandLines = new Map<number, readonly string[] | null>()
  readonly #memberSampler: MemberSampler
  #readOnly = true

  private constructor(
    id: string,
    name: string,
    root: ProcessIdentity,
    argv: readonly string[],
    context: ProgramContext,
  ) {
    super(id, name, false, context, {})
    this.#root = root
    this.#argv = argv
    // Its members were found below it, and not told by anybody.
    this.#memberSampler = new MemberSampler(context.processes, context.kills, () => Promise.resolve(true))
    this.schedule.start()
  }

  /** @throws {@link RequestError} when there is no such process, or it is not one to be attached to. */
  static async open(id: string, pid: number, context: ProgramContext): Promise<AttachedProgram> {
    const { processes } = context
    const identity = await processes.identify(pid)
    const row = identity && (await processes.inspect(identity))
    if (identity === undefined || row === undefined || row.state === 'zombie')
      throw new RequestError(errorCodes.notFound, `There is no process ${pid}. It may have ended; look again.`)
    if (pid === process.pid)
      throw new RequestError(errorCodes.wrongState, `Process ${pid} is this workspace's own host.`)
    const commandLine = await processes.commandLine(identity)
    if (commandLine === undefined || commandLine.length === 0)
      throw new RequestError(
        errorCodes.wrongState,
        `Process ${pid} (${row.command}) belongs to somebody else or to the kernel, so nothing can be seen of it.`,
      )
    const { name } = recogniseProcess({ commandLine, command: row.command, parentCommandLine: null })
    return new AttachedProgram(id, name, identity, commandLine, context)
  }

  get root(): ProcessIdentity {
    return this.#root
  }

  override header(): PoolHeader {
    const isPython =
      recogniseProcess({ commandLine: this.#argv, command: '', parentCommandLine: null }).kind === 'python'
    return {
      ...super.header(),
      kind: 'attached',
      state: this.live ? 'run' : 'ended',
      program: {
        argv: [...this.#argv],
        pid: this.#root.pid,
        python: null,
        observer: 'none',
        message: isPython
          ? 'Attached: its tasks and locks are not known. Start it with "unhang run" to see them.'
          : null,
        exitCode: null,
        signal: null,
        readOnly: this.#readOnly,
      },
    }
  }

  /** Every process that would be ended, the program's own first. */
  pids(): number[] {
    return this.members.live().map(({ pid }) => pid)
  }

  /** @throws {@link RequestError} when these are not all of its processes any more. */
  async confirm(pids: readonly number[]): Promise<void> {
    await this.look()
    const missing = this.pids().filter((pid) => !pids.includes(pid))
    if (missing.length > 0) {
      throw new RequestError(
        errorCodes.wrongState,
        `${this.name} has other processes by now (${missing.join(', ')}). Look at them and confirm again.`,
      )
    }
    this.#readOnly = false
    this.context.log.info('An attached program was confirmed.', { program: this.name, pids })
    this.tellChanges()
  }

  findMember(pid: number): ProgramMember | undefined {
    return this.members.byPid(pid)
  }

  async leave(): Promise<void> {
    await this.schedule.stop()
  }

  override async dispose(): Promise<void> {
    await this.leave()
  }

  protected override mustBeConfirmed(): void {
    if (this.#readOnly)
      throw new RequestError(
        errorCodes.wrongState,
        `${this.name} was not started by Unhang and is only looked at. Confirm its processes first.`,
      )
  }

  #target(member: ProgramMember): ShutdownTarget[] {
    if (member.identity === undefined) return []
    const isHelper = this.#helpers.has(member.key)
    return [
      {
        identity: member.identity,
        name: member.name,
        ...(isHelper ? { helper: true } : {}),
        ...(member.pid === this.#root.pid ? {} : { below: this.#root }),
      },
    ]
  }

  protected endRequest(order: ShutdownOrder): Promise<ShutdownRequest> {
    const targets = this.members.live().flatMap((member) => this.#target(member))
    return Promise.resolve(this.request({ id: this.id, name: this.name }, targets, order))
  }

  protected override notedWithMember(): readonly ProgramPart[] {
    return [this]
  }

  protected override noMember(_part: ProgramPart, pid: number): RequestError {
    return new RequestError(errorCodes.notFound, `${this.name} has no live process ${pid}.`)
  }

  protected async lookOnce(): Promise<{ readonly busy: boolean }> {
    const { processes } = this.context
    const now = steadyMs()
    const row = await processes.inspect(this.#root)
    if (row !== undefined && row.state !== 'zombie') await this.#syncTree(row)
    for (const member of this.members.live()) {
      const { identity } = member
      if (identity !== undefined && (await isAlive(processes, identity))) continue
      const status = identity && (await processes.exitStatus(identity))
      member.exit = {
        exitCode: status?.exitCode ?? null,
        signal: status?.signal ?? null,
        at: Date.now(),
        steadyAt: now,
        endedByUs: null,
        oomKills: null,
      }
      this.members.exited(member)
    }
    this.#forgetUnlisted()
    const live = this.members.live()
    await this.#memberSampler.observe(live, [], () => true, now)
    const main = this.#known.get(keyOf(this.#root))
    const parent = {
      pid: this.#root.pid,
      state: main?.state ?? ('unknown' as const),
      answers: false,
      ...parentWaits(main, undefined),
      quietMs: main?.movement.quietMs(now) ?? 0,
      sigterm: main?.sigterm ?? null,
      standsStillMs: 0,
    }
    const workers = this.members.all().filter((member) => member !== main && !this.#helpers.has(member.key))
    const facts = processFacts(this.name, 'unknown', parent, workers, stuckAfterMs, now)
    this.judge(judgeProgramPool({ ...facts, readers: readersAmong(facts.workers) }))
    this.tellChanges()
    if (main !== undefined && !main.live && live.length === 0) {
      this.end(Date.now())
      await this.schedule.stop()
    }
    return { busy: this.context.somebodyLooks() }
  }

  /** Of those that have ended the list keeps the last ones; a build starts thousands. */
  #forgetUnlisted(): void {
    for (const [key, member] of this.#known) {
      if (this.members.has(member) || key === keyOf(this.#root)) continue
      this.#known.delete(key)
      this.#helpers.delete(key)
      if (!this.members.byPid(member.pid)) this.#commandLines.delete(member.pid)
    }
  }

  async #syncTree(root: ProcessRow): Promise<void> {
    const { processes } = this.context
    const below = (await processes.descendants([{ identity: this.#root }])).get(this.#root.pid) ?? []
    for (const row of [root, ...below]) {
      const key = keyOf(row.identity)
      if (this.#known.has(key) || row.state === 'zombie') continue
      const commandLine = (await processes.commandLine(row.identity)) ?? null
      this.#commandLines.set(row.identity.pid, commandLine)
      // What a fork server has forked is known by the server's command line, not the program's.
      const parentCommandLine = row === root ? null : (this.#commandLines.get(row.parentPid) ?? this.#argv)
      const { role, name } = recogniseProcess({ commandLine, command: row.command, parentCommandLine })
      const member = new ProgramMember(
        key,
        this.members.uniqueName(row === root ? 'MainProcess' : `${name}-${row.identity.pid}`, row.identity.pid),
        row.identity.pid,
        Date.now(),
      )
      member.identity = row.identity
      if (helperRoles.has(role)) this.#helpers.add(key)
      this.#known.set(key, member)
      this.members.add(member)
    }
  }
}

function keyOf({ pid, startTime }: ProcessIdentity): string {
  return `${pid} ${startTime}`
}
