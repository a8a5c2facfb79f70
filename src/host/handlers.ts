import {
  AttachProcess,
  CancelTask,
  ConfirmAttached,
  FollowOutput,
  GetFailures,
  GetSnapshot,
  GetStacks,
  HostStatus,
  LaunchPool,
  ListProcesses,
  Look,
  Ping,
  PlanShutdown,
  ProgramExited,
  ProgramStarted,
  RemovePool,
  Rescue,
  RetryTask,
  RunProgram,
  Shutdown,
  StopHost,
  Watch,
} from '../protocol'
import type { Clients } from './connection/clients'
import type { RequestHandlers } from './connection/requestHandlers'
import type { ProgramRequests } from './programs/programRequests'
import type { PoolRegistry } from './pools/poolRegistry'
import type { ShutdownOrder } from './pools/hostedPool'
import { wirePlan, wireReport } from './pools/reports'
import { planTargets, shutDownTargets } from './pools/shutdownTargets'
import type { StateLog } from './state/stateLog'

/** What requests are answered from. */
export interface HandlerContext {
  readonly state: StateLog
  readonly pools: PoolRegistry
  readonly clients: Clients
  readonly launch: (params: LaunchPool.Params) => Promise<LaunchPool.Result>
  readonly programs: ProgramRequests
  readonly status: () => Promise<HostStatus.Result>
  /** Resolves when the threads that read files have had their turn. */
  readonly ping: () => Promise<void>
  readonly stop: () => Promise<StopHost.Result>
}

/** What the host does for each request of the protocol. */
export function createHandlers({
  state,
  pools,
  clients,
  launch,
  programs,
  status,
  ping,
  stop,
}: HandlerContext): RequestHandlers {
  return {
    [Watch.method]: (params, client) => {
      clients.watch(client, params)
      return null
    },
    [GetSnapshot.method]: ({ since }) => state.snapshot(since),
    [LaunchPool.method]: async (params, client) => {
      const result = await launch(params)
      // Nothing but microtasks since its first worker was started, so nothing it prints has been read yet.
      if (params.follow === true) client.follow(result.poolId, pools.get(result.poolId).output)
      return result
    },
    [Shutdown.method]: async (params) => {
      const reports = await shutDownTargets(params.targets, pools, orderOf(params))
      return { issues: reports.flatMap(({ issues }) => [...issues]), reports: reports.map(wireReport) }
    },
    [PlanShutdown.method]: async (params) => ({
      plans: (await planTargets(params.targets, pools, orderOf(params))).map(wirePlan),
    }),
    [CancelTask.method]: async ({ poolId, taskId }) => {
      await pools.get(poolId).cancelTask(taskId, { kill: false, askedBy: 'user', reason: `task ${taskId} cancelled` })
      return null
    },
    [RetryTask.method]: ({ poolId, taskId }) => {
      pools.get(poolId).retryTask(taskId)
      return null
    },
    [GetFailures.method]: ({ poolId, limit }) => pools.get(poolId).failures(limit ?? 200),
    [FollowOutput.method]: ({ poolId, follow }, client) => {
      if (follow) client.follow(poolId, pools.get(poolId).output)
      else client.unfollow(poolId)
      return null
    },
    [RemovePool.method]: ({ poolId }) => {
      pools.remove(poolId)
      clients.unfollow(poolId)
      return null
    },
    [RunProgram.method]: (params) => programs.run(params),
    [ProgramStarted.method]: async (params, client) => {
      await programs.started(params, client)
      return null
    },
    [ProgramExited.method]: (params) => programs.exited(params),
    [Look.method]: async ({ poolId }) => {
      await programs.look(poolId)
      return null
    },
    [Rescue.method]: (params) => programs.rescue(params),
    [GetStacks.method]: ({ pid }) => programs.stacks(pid),
    [AttachProcess.method]: ({ pid }) => programs.attach(pid),
    [ConfirmAttached.method]: async (params) => {
      await programs.confirm(params)
      return null
    },
    [ListProcesses.method]: async () => ({ processes: await programs.processes() }),
    [HostStatus.method]: status,
    [Ping.method]: async () => {
      await ping()
      return null
    },
    [StopHost.method]: stop,
  }
}

function orderOf({ mode, gracePeriodMs, useSigkill, askedBy, reason }: Shutdown.Params): ShutdownOrder {
  return { kill: mode === 'kill', gracePeriodMs, useSigkill, askedBy, reason: reason ?? `${mode} asked by ${askedBy}` }
}
