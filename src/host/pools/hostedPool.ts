import type { OutputFeed } from '../output/outputFeed'
import type { PolicyActed, TaskFailures } from '../../protocol'
import type { ProcessIdentity, UsageSample } from '../../processes'
import type { ShutdownActor, ShutdownPlan, ShutdownReport } from '../../shutdown'
import type { StateSource } from '../state/stateLog'

/** How a shutdown is asked for. */
export interface ShutdownOrder {
  /** Straight to SIGKILL. */
  readonly kill: boolean
  /** Default: the pool's own. */
  readonly gracePeriodMs?: number | undefined
  /** Default: the pool's own. */
  readonly useSigkill?: boolean | undefined
  readonly askedBy: ShutdownActor
  readonly reason: string
}

/** Where the events of pools are reported: the log, the clients, and the timer that ends an idle host. */
export interface PoolReports {
  /** A report of the shutdown core, for every client. */
  readonly shutdown: (report: ShutdownReport, order: { readonly askedBy: string; readonly reason: string }) => void
  /** An action of `onStuck`, for every client. */
  readonly acted: (policy: PolicyActed) => void
  readonly ended: (pool: HostedPool) => void
}

/** A pool of the host: one that it runs, or one that a dead host left behind. */
export interface HostedPool extends StateSource {
  readonly name: string
  readonly orphaned: boolean
  /** This host started it, and ends it when it ends itself. */
  readonly owned: boolean
  /** The host stays for it while it is live. */
  readonly needsHost: boolean
  /** True until every worker is gone. */
  readonly live: boolean
  readonly endedAt: number | null
  readonly output: OutputFeed
  /** Processes that are there now. */
  liveWorkers(): {
    readonly name: string
    readonly pid: number
    readonly identity: ProcessIdentity | undefined
    readonly taskId: string | null
    readonly stuck: boolean
  }[]
  shutdown(order: ShutdownOrder): Promise<ShutdownReport>
  shutdownWorker(pid: number, order: ShutdownOrder): Promise<ShutdownReport>
  /** The plan of a {@link shutdown} now; sends nothing. */
  plan(order: ShutdownOrder): Promise<ShutdownPlan>
  /** The plan of a {@link shutdownWorker} now; sends nothing. */
  planWorker(pid: number, order: ShutdownOrder): Promise<ShutdownPlan>
  failures(limit: number): TaskFailures
  /** @throws `RequestError` when there is no such task, or it has ended. */
  cancelTask(taskId: string, order: ShutdownOrder): Promise<void>
  /** @throws `RequestError` when there is no such task, or the pool takes no more. */
  retryTask(taskId: string): void
  /** New measurements by pid; null once nothing is measured. */
  setUsage(samples: ReadonlyMap<number, UsageSample> | null): void
  /** Frees what it keeps on disk; only once it has ended. */
  dispose(): Promise<void>
}
