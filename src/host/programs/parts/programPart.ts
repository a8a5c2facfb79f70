import type { ProgramVerdict } from '../../../diagnosis'
import type { UsageSample } from '../../../processes'
import {
  errorCodes,
  stuckByVerdicts,
  type PoolHeader,
  type PoolVerdictSnapshot,
  type WorkerSnapshot,
  type TaskFailures,
  type TaskFailure,
} from '../../../protocol'
import type { ShutdownPlan, ShutdownReport } from '../../../shutdown'
import { OutputFeed } from '../../output/outputFeed'
import { RequestError } from '../../terms/requestError'
import { verdictSnapshot } from '../../terms/verdictSnapshot'
import type { HostedPool, ShutdownOrder } from '../../pools/hostedPool'
import { MemberList } from '../members/memberList'
import type { ProgramMember } from '../members/programMember'

/** What a part of a program tells the host. */
export interface PartObserver {
  headerChanged(): void
  workerChanged(name: string): void
  workerRemoved(name: string): void
  ended(): void
}

/**
 * A program or a pool inside one, as the host lists it. What they do together is the program's ({@link
 * WatchedProgram}).
 */
export abstract class ProgramPart implements HostedPool {
  readonly orphaned = false
  readonly needsHost = true
  readonly output = new OutputFeed()
  readonly members: MemberList
  endedAt: number | null = null
  verdicts: readonly ProgramVerdict[] = []
  #issues: readonly string[] = []
  #drawn = ''

  /** @param owned False: somebody else started it, and it goes on when the host ends. */
  constructor(
    readonly id: string,
    readonly name: string,
    readonly startedAt: number,
    readonly owned: boolean,
    protected readonly observer: PartObserver,
  ) {
    this.members = new MemberList(observer)
  }

  get live(): boolean {
    return this.endedAt === null
  }

  header(): PoolHeader {
    const members = this.members.counts()
    return {
      id: this.id,
      name: this.name,
      kind: 'watched',
      state: 'run',
      programId: null,
      program: null,
      verdicts: this.verdicts.map(wireVerdict),
      orphaned: false,
      label: null,
      startedAt: this.startedAt,
      endedAt: this.endedAt,
      counts: { queued: 0, timedOut: 0, cancelled: 0, ...members, stuck: stuckByVerdicts(this.verdicts) },
      etaMs: null,
      failure: null,
      issues: [...this.#issues],
      exitedWorkerCount: this.members.exitedCount,
      stats: null,
    }
  }

  workerNames(): Iterable<string> {
    return this.members.names()
  }

  worker(name: string): WorkerSnapshot | undefined {
    return this.members.snapshot(name)
  }

  liveWorkers(): ReturnType<HostedPool['liveWorkers']> {
    return this.members.liveWorkers()
  }

  failures(limit: number): TaskFailures {
    const lost = this.members.all().filter((member) => !member.live && member.hasTask)
    return { total: lost.length + this.members.unlistedLosses, failures: lost.slice(-limit).map(failureOf) }
  }

  cancelTask(taskId: string, order: ShutdownOrder): Promise<void> {
    const member = this.members.live().find((candidate) => candidate.hasTask && candidate.taskId === taskId)
    if (!member) throw new RequestError(errorCodes.notFound, `The pool ${this.name} has no running task ${taskId}.`)
    return this.shutdownWorker(member.pid, order).then(() => undefined)
  }

  retryTask(taskId: string): void {
    throw new RequestError(
      errorCodes.wrongState,
      `Task ${taskId} belongs to the program's own pool ${this.name}: use Rescue to run a lost task again.`,
    )
  }

  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void {
    this.members.setUsage(samples)
  }

  dispose(): Promise<void> {
    return Promise.resolve()
  }

  abstract shutdown(order: ShutdownOrder): Promise<ShutdownReport>
  abstract shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport>
  abstract plan(order: ShutdownOrder): Promise<ShutdownPlan>
  abstract planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan>

  /** The issues of the last shutdown. */
  noteIssues(issues: readonly string[]): void {
    this.#issues = issues
  }

  /** New verdicts; each worker shows the gravest that is about it. */
  judge(verdicts: readonly ProgramVerdict[]): void {
    this.verdicts = verdicts
    const gravest = new Map<string, ProgramVerdict>()
    for (const verdict of verdicts)
      if (verdict.worker !== null && !gravest.has(verdict.worker)) gravest.set(verdict.worker, verdict)
    for (const member of this.members.all()) member.verdict = gravest.get(member.name) ?? null
  }

  /** Tells of everything that looks different from when this was last called. */
  tellChanges(): void {
    this.members.tellChanges()
    const look = JSON.stringify(this.header())
    if (look === this.#drawn) return
    this.#drawn = look
    this.observer.headerChanged()
  }

  end(at: number): void {
    if (this.endedAt !== null) return
    this.endedAt = at
    // What is over is not stuck any more; what it lost stays told.
    this.judge([])
    this.tellChanges()
    this.observer.ended()
  }
}

/** A verdict on a program's pool as clients get it. */
export function wireVerdict(verdict: ProgramVerdict): PoolVerdictSnapshot {
  const { stuck, worker, pid, task, rescue } = verdict
  return {
    ...verdictSnapshot(verdict),
    stuck,
    worker,
    pid,
    task,
    rescue: rescue.map((option) => ({ ...option })),
  }
}

function failureOf(member: ProgramMember): TaskFailure {
  const task = member.snapshot().task
  return {
    taskId: member.taskId,
    label: member.label,
    state: task?.state ?? 'lost',
    message: member.verdict?.summary ?? `${member.name} ended with it`,
    worker: member.name,
    pid: member.pid,
    exitCode: member.exit?.exitCode ?? null,
    signal: member.exit?.signal ?? null,
    elapsedMs: task?.elapsedMs ?? 0,
    attempts: 1,
    stdoutPath: null,
    stderrPath: null,
  }
}
