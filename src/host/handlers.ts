import type { LaunchedPool, StoppedHost, HostStatus, ParamsOf } from '../protocol'
import type { Clients } from './connection/clients'
import type { RequestHandlers } from './connection/requestHandlers'
import type { Programs } from './programs/programs'
import type { PoolRegistry } from './pools/poolRegistry'
import type { ShutdownOrder } from './pools/hostedPool'
import { wirePlan, wireReport } from './pools/reports'
import { planTargets, shutDownTargets } from './pools/shutdownTargets'
import type { StateLog } from './state/stateLog'

/** The parts of the host that requests are answered from. */
export interface HandlerContext {
  readonly state: StateLog
  readonly pools: PoolRegistry
  readonly clients: Clients
  readonly launch: (params: ParamsOf<'unhang/launchPool'>) => Promise<LaunchedPool>
  readonly programs: Programs
  readonly status: () => Promise<HostStatus>
  /** Resolves when the threads that read files have had their turn. */
  readonly ping: () => Promise<void>
  readonly stop: () => Promise<StoppedHost>
}

/** The handlers of all requests of the protocol. */
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
    'unhang/watch': (params, client) => {
      clients.measure(client, params)
      return null
    },
    'unhang/snapshot': ({ since }) => state.snapshot(since),
    'unhang/launchPool': async (params, client) => {
      const result = await launch(params)
      // Only microtasks have run since its first worker was started, so no output of it has been read yet.
      if (params.follow === true) client.follow(result.poolId, pools.get(result.poolId).output)
      return result
    },
    'unhang/shutdown': async (params) => {
      const reports = await shutDownTargets(params.targets, pools, orderOf(params))
      return { issues: reports.flatMap(({ issues }) => [...issues]), reports: reports.map(wireReport) }
    },
    'unhang/planShutdown': async (params) => ({
      plans: (await planTargets(params.targets, pools, orderOf(params))).map(wirePlan),
    }),
    'unhang/cancelTask': async ({ poolId, taskId }) => {
      await pools.get(poolId).cancelTask(taskId, { kill: false, askedBy: 'user', reason: `task ${taskId} cancelled` })
      return null
    },
    'unhang/retryTask': ({ poolId, taskId }) => {
      pools.get(poolId).retryTask(taskId)
      return null
    },
    'unhang/failures': ({ poolId, limit }) => pools.get(poolId).failures(limit),
    'unhang/followOutput': ({ poolId, follow }, client) => {
      if (follow) client.follow(poolId, pools.get(poolId).output)
      else client.unfollow(poolId)
      return null
    },
    'unhang/removePool': ({ poolId }) => {
      pools.remove(poolId)
      clients.unfollow(poolId)
      return null
    },
    'unhang/runProgram': (params) => programs.run(params),
    'unhang/programStarted': async (params, client) => {
      await programs.started(params, client)
      return null
    },
    'unhang/programExited': (params) => programs.exited(params),
    'unhang/look': async ({ poolId }) => {
      await programs.look(poolId)
      return null
    },
    'unhang/rescue': (params) => programs.rescue(params),
    'unhang/stacks': ({ pid }) => programs.stacks(pid),
    'unhang/attach': ({ pid }) => programs.attach(pid),
    'unhang/confirmAttached': async (params) => {
      await programs.confirm(params)
      return null
    },
    'unhang/processes': async () => ({ processes: await programs.processes() }),
    'unhang/hostStatus': status,
    'unhang/ping': async () => {
      await ping()
      return null
    },
    'unhang/stopHost': stop,
  }
}

function orderOf({ mode, gracePeriodMs, useSigkill, askedBy, reason }: ParamsOf<'unhang/shutdown'>): ShutdownOrder {
  return { kill: mode === 'kill', gracePeriodMs, useSigkill, askedBy, reason: reason ?? `${mode} asked by ${askedBy}` }
}
