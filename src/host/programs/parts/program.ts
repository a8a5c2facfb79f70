import type { ProcessIdentity } from '../../../processes'
import { errorCodes, type RescueAction, type WatchOptions } from '../../../protocol'
import {
  planShutdown,
  shutDown,
  type ShutdownPlan,
  type ShutdownReport,
  type ShutdownRequest,
  type ShutdownSubject,
  type ShutdownTarget,
} from '../../../shutdown'
import type { ShutdownOrder } from '../../pools/hostedPool'
import { RequestError } from '../../terms/requestError'
import type { ProgramContext } from '../context/programContext'
import type { ProgramMember } from '../members/programMember'
import { continueMember, type RescueOutcome } from './continueMember'
import { LookSchedule } from './lookSchedule'
import { ProgramPart } from './programPart'

/** As the engine's own pools. */
const defaultGracePeriodMs = 100
/** The consequence of the end of one process that is no worker of a pool. */
const goesOn = 'Its parent learns of its end, and goes on with what comes next.'

/**
 * A program of the user's own, watched or attached: its processes and the pools in it, the looks at them, and its end
 * through the shutdown core.
 */
export abstract class Program extends ProgramPart {
  protected readonly schedule: LookSchedule
  readonly #watch: Pick<WatchOptions, 'gracePeriodMs' | 'useSigkill'>

  constructor(
    id: string,
    name: string,
    owned: boolean,
    protected readonly context: ProgramContext,
    watch: Pick<WatchOptions, 'gracePeriodMs' | 'useSigkill'>,
  ) {
    super(id, name, Date.now(), owned, {
      ...context.state.changesOf(id),
      ended: () => {
        context.ended(this)
      },
    })
    this.#watch = watch
    this.schedule = new LookSchedule(
      () => this.lookOnce(),
      (error) => {
        context.log.error('A look at a program failed.', { program: name, error: String(error) })
      },
    )
  }

  /** The main process; undefined before it has started. */
  abstract get root(): ProcessIdentity | undefined

  abstract get pools(): readonly ProgramPart[]

  /** A live process of the program or of any pool in it. */
  abstract findMember(pid: number): ProgramMember | undefined

  /** The looks end, and the program goes on. */
  abstract leave(): Promise<void>

  protected abstract lookOnce(): Promise<{ readonly busy: boolean }>

  /** The processes that end with the program; called right after a look. */
  protected abstract endRequest(order: ShutdownOrder): Promise<ShutdownRequest>

  /** A look now; settles when its verdicts are in the snapshot. */
  look(): Promise<void> {
    return this.live && this.root !== undefined ? this.schedule.now() : Promise.resolve()
  }

  /** Does what the user chose for a stuck part of the program, if it is still true. */
  rescue(part: ProgramPart, action: RescueAction, askedBy: 'user' | 'cli' | 'policy'): Promise<RescueOutcome> {
    return action.kind === 'continue'
      ? this.continueProcess(action.pid, askedBy)
      : Promise.resolve({ done: false, text: `${part.name} has no tasks and locks of its own` })
  }

  /** SIGCONT to a stopped process of the program. */
  async continueProcess(pid: number, askedBy: 'user' | 'cli' | 'policy'): Promise<RescueOutcome> {
    this.mustBeConfirmed()
    const part = [this, ...this.pools].find(({ members }) => members.byPid(pid) !== undefined) ?? this
    return continueMember(part, pid, askedBy, this.context)
  }

  /** Ends the program: its main process first, so that it does not go on without the processes that it waits for. */
  async shutdown(order: ShutdownOrder): Promise<ShutdownReport> {
    this.mustBeConfirmed()
    await this.look()
    return this.#run(await this.endRequest(order), order, [this, ...this.pools])
  }

  /** The plan of {@link shutdown}; may be asked for before anything is confirmed. */
  async plan(order: ShutdownOrder): Promise<ShutdownPlan> {
    await this.look()
    return planShutdown(await this.endRequest(order), this.context)
  }

  async shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    this.mustBeConfirmed()
    return this.shutdownMember(this, pid, order)
  }

  planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    return this.planMember(this, pid, order)
  }

  async shutdownMember(part: ProgramPart, pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    const request = this.#memberRequest(part, pid, order)
    return request === undefined ? this.shutdown(order) : this.#run(request, order, this.notedWithMember())
  }

  async planMember(part: ProgramPart, pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    const request = this.#memberRequest(part, pid, order)
    if (request === undefined) return this.plan(order)
    return { ...(await planShutdown(request, this.context)), consequence: goesOn }
  }

  /** @throws RequestError when the user has not seen and confirmed the processes of a program that is not ours */
  protected mustBeConfirmed(): void {
    // A program that was started by Unhang needs no confirmation.
  }

  /** The parts that show the issues of the end of one member. */
  protected notedWithMember(): readonly ProgramPart[] {
    return []
  }

  protected noMember(part: ProgramPart, pid: number): RequestError {
    return new RequestError(errorCodes.notFound, `${part.name} has no live worker with pid ${pid}.`)
  }

  protected request(
    subject: ShutdownSubject,
    targets: readonly ShutdownTarget[],
    order: ShutdownOrder,
  ): ShutdownRequest {
    const { gracePeriodMs, useSigkill } = this.#watch
    return {
      subject,
      targets,
      kill: order.kill,
      reason: order.reason,
      askedBy: order.askedBy,
      gracePeriodMs: order.gracePeriodMs ?? gracePeriodMs ?? defaultGracePeriodMs,
      useSigkill: order.useSigkill ?? useSigkill ?? false,
    }
  }

  /** Undefined for the main process: with it all of the program ends. */
  #memberRequest(part: ProgramPart, pid: number, order: ShutdownOrder): ShutdownRequest | undefined {
    const member = part.members.byPid(pid)
    if (member?.identity === undefined) throw this.noMember(part, pid)
    if (pid === this.root?.pid) return undefined
    return this.request(
      { id: part.id, name: member.name, kind: 'worker' },
      [{ identity: member.identity, name: member.name }],
      order,
    )
  }

  async #run(request: ShutdownRequest, order: ShutdownOrder, noted: readonly ProgramPart[]): Promise<ShutdownReport> {
    const { processes, kills } = this.context
    const note = (report: ShutdownReport): void => {
      for (const part of noted) part.noteIssues(report.issues)
      this.context.shutdown(report, order)
      this.schedule.hurry()
    }
    const report = await shutDown({ ...request, endedLater: note }, { processes, ledger: kills })
    note(report)
    return report
  }
}
