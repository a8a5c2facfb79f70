import { planShutdown, shutDown } from '../../shutdown'
import type {
  ShutdownDependencies,
  ShutdownPlan,
  ShutdownReport,
  ShutdownRequest,
  ShutdownSubject,
  ShutdownTarget,
} from '../../shutdown'
import type { FormerWorkers } from './formerWorkers'
import type { ShutdownOptions } from '../terms/types'
import type { Worker } from './worker'

/**
 * After the core has reported a worker's end, Node reports it too, and its last output is read; normally within one
 * turn.
 */
const settleLimitMs = 500

export interface EndWorkersRequest {
  readonly subject: ShutdownSubject
  readonly workers: readonly Worker[]
  /** Workers that are gone, but whose output is still held open by something they left behind. */
  readonly leftBehind: readonly Worker[]
  /** Workers that exited earlier, to find what they left. */
  readonly formerWorkers?: FormerWorkers
  readonly options: ShutdownOptions
  readonly gracePeriodMs: number
  readonly useSigkill: boolean
  readonly stopRefill?: () => void
  /** See {@link ShutdownRequest.endedLater}. */
  readonly endedLater?: (report: ShutdownReport) => void
}

/**
 * Ends workers through the shutdown core, and returns when what ended has also been seen to end here (exit codes are
 * known, tasks have their outcome). What survived is marked so.
 */
export async function endWorkers(request: EndWorkersRequest, system: ShutdownDependencies): Promise<ShutdownReport> {
  const { options, workers } = request
  request.stopRefill?.()
  for (const worker of workers) {
    if (worker.exited) continue
    // The last one: when a Kill follows a Terminate that did not help, the Kill explains the exit.
    worker.endRequest = { askedBy: options.askedBy, reason: options.reason }
    worker.stopping()
  }
  const shutdown = await shutdownRequest(request)
  const { targets } = shutdown
  const report = await shutDown(shutdown, system)
  const survivors = new Map(
    report.workers
      .filter((row) => row.descendantOf === undefined && isStillThere(row.outcome))
      .map((row) => [row.pid, row]),
  )
  await settled(workers.filter((worker) => !survivors.has(worker.pid)))
  for (const worker of workers) {
    const row = survivors.get(worker.pid)
    if (row === undefined || worker.exited) continue
    worker.survivedTerminate = row.foreseen.length > 0 ? row.foreseen : ['no effect']
  }
  const unidentified = workers.filter(
    (worker) => !worker.exited && worker.pid !== -1 && !targets.some(({ identity }) => identity.pid === worker.pid),
  )
  if (unidentified.length === 0) return report
  const issues = unidentified.map(
    (worker) => `worker still alive: ${worker.name}, pid=${worker.pid}, cannot be identified, so no signal was sent`,
  )
  return { ...report, issues: [...report.issues, ...issues] }
}

/** What {@link endWorkers} would do now; only looks. */
export async function planEnd(request: EndWorkersRequest, system: ShutdownDependencies): Promise<ShutdownPlan> {
  return planShutdown(await shutdownRequest(request), system)
}

async function shutdownRequest({
  subject,
  workers,
  leftBehind,
  formerWorkers,
  options,
  gracePeriodMs,
  useSigkill,
  endedLater,
}: EndWorkersRequest): Promise<ShutdownRequest> {
  return {
    ...(endedLater === undefined ? {} : { endedLater }),
    subject,
    targets: (await Promise.all([...workers, ...leftBehind].map(targetOf))).filter((target) => target !== undefined),
    formerWorkers: (await formerWorkers?.list()) ?? [],
    gracePeriodMs,
    useSigkill: useSigkill || options.kill,
    kill: options.kill,
    reason: options.reason,
    askedBy: options.askedBy,
  }
}

async function targetOf(worker: Worker): Promise<ShutdownTarget | undefined> {
  const identity = await worker.identity()
  if (identity === undefined) return undefined
  const { ask } = worker
  return {
    identity,
    name: worker.name,
    marker: worker.marker,
    exited: worker.whenExited(),
    ...(ask === undefined ? {} : { ask }),
  }
}

function isStillThere(outcome: ShutdownReport['workers'][number]['outcome']): boolean {
  switch (outcome) {
    case 'alive':
    case 'unkillable':
    case 'denied':
      return true
    case 'already-gone':
    case 'exited':
    case 'terminated':
    case 'killed':
    case 'zombie':
      return false
  }
}

async function settled(workers: readonly Worker[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, settleLimitMs)
  })
  await Promise.race([Promise.all(workers.map((worker) => worker.whenGone())), limit])
  clearTimeout(timer)
}
