import { ifKilledInWords } from '../../../diagnosis'
import type { PoolHeader } from '../../../protocol'
import type { ShutdownPlan, ShutdownReport } from '../../../shutdown'
import type { ShutdownOrder } from '../../pools/hostedPool'
import { Movement } from '../members/movement'
import type { ObservedPool } from '../observers/observerMessages'
import type { ParentView } from '../members/parentView'
import { ProgramPart, type PartObserver } from '../parts/programPart'
import type { ProgramMember } from '../members/programMember'
import { steadyMs, steadyOf } from '../context/steadyTime'

/** How a pool ends what it is part of. */
export interface PoolOwner {
  readonly id: string
  shutdown(order: ShutdownOrder): Promise<ShutdownReport>
  shutdownMember(pool: WatchedPool, pid: number, order: ShutdownOrder): Promise<ShutdownReport>
  plan(order: ShutdownOrder): Promise<ShutdownPlan>
  planMember(pool: WatchedPool, pid: number, order: ShutdownOrder): Promise<ShutdownPlan>
}

/** A pool that a watched program made: observed, not owned. */
export class WatchedPool extends ProgramPart {
  #answer: ObservedPool
  readonly #owner: PoolOwner

  /** When it was made, in steady time. */
  readonly since: number
  /** The first of its calls: tasks of that one are known by their index alone. */
  #firstJob: number | undefined
  #stateSince = 0
  #stateToldAt = 0
  readonly #movement = new Movement()
  readonly #callbackMovement = new Movement()

  constructor(
    id: string,
    readonly parent: ParentView,
    answer: ObservedPool,
    owner: PoolOwner,
    observer: PartObserver,
  ) {
    super(id, answer.name, answer.madeAt * 1000, false, observer)
    this.#answer = answer
    this.#owner = owner

    this.#stateSince = this.#stateToldAt = steadyMs()
    this.since = steadyOf(answer.madeAt * 1000)
  }

  /** What its parent's observer said of it last. */
  get observed(): ObservedPool {
    return this.#answer
  }

  set observed(answer: ObservedPool) {
    // The same one stays when there is no newer.
    if (answer === this.#answer) return
    this.#stateToldAt = steadyMs()
    if (answer.state !== this.#answer.state) this.#stateSince = this.#stateToldAt
    this.#answer = answer
  }

  /** Milliseconds from the first answer in a row that said that it is in this state to the newest. */
  get stateMs(): number {
    return this.#stateToldAt - this.#stateSince
  }

  get key(): number {
    return this.observed.key
  }

  /** Somebody waits for results, or for the end of its workers. */
  get awaited(): boolean {
    return this.observed.jobs.length > 0 || (this.observed.queued ?? 0) > 0 || this.observed.state === 'close'
  }

  override header(): PoolHeader {
    const header = super.header()
    const { state, queued } = this.observed
    return {
      ...header,
      kind: 'watched',
      programId: this.#owner.id,
      state: !this.live || state === 'ended' ? 'ended' : state === 'broken' ? 'terminate' : state,
      counts: { ...header.counts, queued: !this.live || this.#areAllTaken() ? 0 : (queued ?? 0) },
    }
  }

  /**
   * Calls wait for results that nobody takes in, because the thread that does has ended or is in a callback of the
   * program: with the task pipe empty, the workers have had all of their tasks.
   */
  #areAllTaken(): boolean {
    const { library, threads, callback, taskPipeBytes } = this.observed
    return (
      (library === 'multiprocessing' || library === 'billiard') &&
      (threads.results === false || callback !== null) &&
      threads.tasks !== false &&
      taskPipeBytes === 0
    )
  }

  /**
   * How long everything that is counted in it has been the same at every look; to be asked once a look. Milliseconds.
   */
  unchangedMs(now: number): number {
    const { queued, taskPipeBytes, resultPipeBytes, jobs } = this.observed
    const members = this.members
      .live()
      .map(({ pid, recorded }) => [pid, recorded?.counter, recorded?.phase, recorded?.ready])
    this.#movement.observe(
      now,
      0,
      JSON.stringify([
        queued,
        taskPipeBytes,
        resultPipeBytes,
        jobs.map(({ job, left }) => [job, left]),
        placeOf(this.observed),
        members,
      ]),
    )
    return this.#movement.quietMs(now)
  }

  /**
   * The same of the callback that holds up its results, which only its own thread's CPU time can tell to be at work.
   */
  callbackQuietMs(now: number): number {
    const { callback } = this.observed
    this.#callbackMovement.observe(now, (callback?.cpu ?? now) * 1000, placeOf(this.observed))
    return this.#callbackMovement.quietMs(now)
  }

  /** Gives a member's task the id by which people name it: `7`, and `3.7` in a later call. */
  nameTask(member: ProgramMember): void {
    const { recorded } = member
    if (recorded === undefined || !member.hasTask) return
    this.#firstJob ??= recorded.job
    member.taskId = recorded.job === this.#firstJob ? `${recorded.index}` : `${recorded.job}.${recorded.index}`
  }

  /**
   * A pool refills itself, and the program waits for its results: it can only be ended with the program that made it.
   */
  shutdown(order: ShutdownOrder): Promise<ShutdownReport> {
    return this.#owner.shutdown(order)
  }

  shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    return this.#owner.shutdownMember(this, pid, order)
  }

  plan(order: ShutdownOrder): Promise<ShutdownPlan> {
    return this.#owner.plan(order)
  }

  async planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    const member = this.members.byPid(pid)
    const plan = await this.#owner.planMember(this, pid, order)
    if (member === undefined) return plan
    const retriable = (member.recorded?.keptBytes ?? 0) > 0
    return {
      ...plan,
      consequence: ifKilledInWords(this.observed, { name: member.name, task: member.hasTask ? { retriable } : null }),
    }
  }
}

function placeOf({ callback }: ObservedPool): string {
  // Each call may have one, and all of them may be the same function.
  return callback === null
    ? ''
    : `${callback.job} ${callback.file}:${callback.line} ${callback.function} ${callback.call ?? ''}`
}
