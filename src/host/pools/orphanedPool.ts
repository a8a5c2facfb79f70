import { orphaned } from '../../diagnosis'
import { isAlive, type ProcessTable, type UsageSample } from '../../processes'
import {
  errorCodes,
  type PoolHeader,
  type VerdictSnapshot,
  type WorkerSnapshot,
  type TaskFailures,
} from '../../protocol'
import {
  planShutdown,
  shutDown,
  type KillLedger,
  type ShutdownPlan,
  type ShutdownReport,
  type ShutdownRequest,
  type ShutdownSubject,
} from '../../shutdown'
import { OutputFeed } from '../output/outputFeed'
import { RequestError } from '../terms/requestError'
import { verdictSnapshot } from '../terms/verdictSnapshot'
import type { LedgerEntry } from '../ledger/workerLedger'
import type { HostedPool, ShutdownOrder } from './hostedPool'

/** One process that outlived its host; `descendantOf` when it is what a worker left behind. */
export interface Survivor {
  readonly entry: LedgerEntry
  readonly descendantOf?: string
}

export interface OrphanObserver {
  headerChanged(): void
  workerChanged(name: string): void
  exited(entry: LedgerEntry): void
  shutdown(report: ShutdownReport, order: ShutdownOrder): void
  ended(): void
}

/** Orphans are no children of this process, so their end must be polled; half a second is soon enough for users. */
const lookMs = 500
/** As a pool's own default (Keras' 0.1 s). */
const defaultGracePeriodMs = 100

/**
 * The processes of one pool that a dead host left behind. It runs no tasks and its output is not read; it can be ended
 * by the same commands and the same core as any other pool, and counts as ended once its processes are gone.
 */
export class OrphanedPool implements HostedPool {
  readonly #processes: ProcessTable
  readonly #kills: KillLedger
  readonly #observer: OrphanObserver

  readonly orphaned = true
  readonly owned = false
  readonly needsHost = false
  readonly output = new OutputFeed()
  readonly startedAt: number
  endedAt: number | null = null
  readonly #alive = new Map<string, Survivor>()
  readonly #gone = new Map<string, { survivor: Survivor; exitedAt: number }>()
  readonly #usage = new Map<number, UsageSample>()
  readonly #kind: string
  #lastIssues: readonly string[] = []
  readonly #timer: NodeJS.Timeout

  constructor(
    readonly id: string,
    readonly name: string,
    survivors: readonly Survivor[],
    processes: ProcessTable,
    kills: KillLedger,
    observer: OrphanObserver,
  ) {
    this.#processes = processes
    this.#kills = kills
    this.#observer = observer

    for (const survivor of survivors) this.#alive.set(survivor.entry.worker, survivor)
    this.startedAt = Math.min(...survivors.map(({ entry }) => entry.startedAt))
    this.#kind = survivors[0]?.entry.kind ?? 'command'
    this.#timer = setInterval(() => {
      void this.look()
    }, lookMs)
    this.#timer.unref()
  }

  get live(): boolean {
    return this.#alive.size > 0
  }

  header(): PoolHeader {
    return {
      id: this.id,
      name: this.name,
      kind: this.#kind,
      state: this.live ? 'terminate' : 'ended',
      programId: null,
      program: null,
      verdicts: [],
      orphaned: true,
      label: null,
      startedAt: this.startedAt,
      endedAt: this.endedAt,
      counts: {
        queued: 0,
        running: this.#alive.size,
        stuck: this.#alive.size,
        done: 0,
        failed: 0,
        lost: this.#gone.size,
        timedOut: 0,
        cancelled: 0,
      },
      etaMs: null,
      failure: null,
      issues: [...this.#lastIssues],
      exitedWorkerCount: this.#gone.size,
      stats: null,
    }
  }

  *workerNames(): Iterable<string> {
    yield* this.#gone.keys()
    yield* this.#alive.keys()
  }

  worker(name: string): WorkerSnapshot | undefined {
    const alive = this.#alive.get(name)
    const gone = this.#gone.get(name)
    const survivor = alive ?? gone?.survivor
    if (!survivor) return undefined
    const { entry } = survivor
    const exitedAt = gone?.exitedAt ?? null
    const usage = alive && this.#usage.get(entry.pid)
    return {
      name,
      pid: entry.pid,
      status: alive ? 'busy' : 'exited',
      // Its exit status was not collected, so it is unknown.
      exitCode: null,
      signal: null,
      cpuPercent: usage?.cpuPercent ?? null,
      memoryBytes: usage?.memoryBytes ?? null,
      tasksDone: 0,
      startedAt: entry.startedAt,
      exitedAt,
      task: {
        id: taskIdOf(entry),
        label: entry.task ?? `process ${entry.pid}`,
        state: alive ? 'running' : 'lost',
        startedAt: entry.startedAt,
        elapsedMs: Math.max(0, (exitedAt ?? Date.now()) - entry.startedAt),
        stuck: alive !== undefined,
        verdict: alive ? verdictOf(survivor) : null,
      },
    }
  }

  liveWorkers(): ReturnType<HostedPool['liveWorkers']> {
    return [...this.#alive].map(([name, { entry }]) => ({
      name,
      pid: entry.pid,
      identity: entry,
      taskId: taskIdOf(entry),
      stuck: true,
    }))
  }

  shutdown(order: ShutdownOrder): Promise<ShutdownReport> {
    return this.#end(this.#requestToEnd([...this.#alive], order, { id: this.id, name: this.name }), order)
  }

  shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport> {
    return this.#end(this.#requestToEndWorker(pid, order), order)
  }

  plan(order: ShutdownOrder): Promise<ShutdownPlan> {
    return planShutdown(this.#requestToEnd([...this.#alive], order, { id: this.id, name: this.name }), {
      processes: this.#processes,
    })
  }

  planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan> {
    return planShutdown(this.#requestToEndWorker(pid, order), { processes: this.#processes })
  }

  failures(): TaskFailures {
    return { failures: [], total: 0 }
  }

  async cancelTask(taskId: string, order: ShutdownOrder): Promise<void> {
    const target = [...this.#alive.values()].find(({ entry }) => taskIdOf(entry) === taskId)
    if (!target) throw new RequestError(errorCodes.notFound, `The pool ${this.name} has no running task ${taskId}.`)
    await this.shutdownWorker(target.entry.pid, order)
  }

  retryTask(): void {
    throw new RequestError(
      errorCodes.wrongState,
      `The pool ${this.name} was left behind by a host that died: it can only be ended. Launch it again to ` +
        'run its tasks.',
    )
  }

  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void {
    for (const [name, { entry }] of this.#alive) {
      const sample = samples?.get(entry.pid)
      if (sample) this.#usage.set(entry.pid, sample)
      else this.#usage.delete(entry.pid)
      this.#observer.workerChanged(name)
    }
  }

  dispose(): Promise<void> {
    clearInterval(this.#timer)
    return Promise.resolve()
  }

  /** Which of them are still there. */
  async look(): Promise<void> {
    for (const [name, survivor] of [...this.#alive]) {
      if (await isAlive(this.#processes, survivor.entry)) continue
      if (!this.#alive.delete(name)) continue
      this.#gone.set(name, { survivor, exitedAt: Date.now() })
      this.#usage.delete(survivor.entry.pid)
      this.#observer.exited(survivor.entry)
      this.#observer.workerChanged(name)
      this.#observer.headerChanged()
    }
    if (this.live || this.endedAt !== null) return
    this.endedAt = Date.now()
    clearInterval(this.#timer)
    this.#observer.headerChanged()
    this.#observer.ended()
  }

  #requestToEndWorker(pid: number, order: ShutdownOrder): ShutdownRequest {
    const targets = [...this.#alive].filter(([, { entry }]) => entry.pid === pid)
    const [name] = targets[0] ?? []
    if (name === undefined)
      throw new RequestError(errorCodes.notFound, `The pool ${this.name} has no live worker with pid ${pid}.`)
    return this.#requestToEnd(targets, order, { id: this.id, name, kind: 'worker' })
  }

  #requestToEnd(
    targets: readonly (readonly [string, Survivor])[],
    order: ShutdownOrder,
    subject: ShutdownSubject,
  ): ShutdownRequest {
    return {
      subject,
      targets: targets.map(([name, { entry }]) => ({
        identity: { pid: entry.pid, startTime: entry.startTime },
        name,
        ...(entry.marker === null ? {} : { marker: entry.marker }),
      })),
      gracePeriodMs: order.gracePeriodMs ?? defaultGracePeriodMs,
      useSigkill: order.useSigkill ?? false,
      kill: order.kill,
      reason: order.reason,
      askedBy: order.askedBy,
    }
  }

  async #end(request: ShutdownRequest, order: ShutdownOrder): Promise<ShutdownReport> {
    const note = async (report: ShutdownReport): Promise<void> => {
      this.#lastIssues = report.issues
      await this.look()
      this.#observer.headerChanged()
      this.#observer.shutdown(report, order)
    }
    const report = await shutDown(
      {
        ...request,
        endedLater: (later) => {
          void note(later)
        },
      },
      { processes: this.#processes, ledger: this.#kills },
    )
    await note(report)
    return report
  }
}

function taskIdOf(entry: LedgerEntry): string {
  return `orphan-${entry.pid}`
}

function verdictOf({ entry, descendantOf }: Survivor): VerdictSnapshot {
  const { worker, pid, startedAt } = entry
  return verdictSnapshot(orphaned({ worker, pid, startedAt, leftBy: descendantOf ?? null }))
}
