import type { z } from 'zod'
import type { Client } from './client'
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
  type RequestMethod,
  type Requests,
} from '../../protocol'

/** What the host does for each request, given checked parameters. Throws {@link RequestError} or `LaunchError`. */
export type RequestHandlers = {
  readonly [M in RequestMethod]: (
    params: Requests[M]['params'],
    client: Client,
  ) => Promise<Requests[M]['result']> | Requests[M]['result']
}

/** A request that makes sense but cannot be done; `code` is one of the protocol's `errorCodes`. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message)
  }
}

/** The schema of each request's parameters; undefined where there are none. */
export const requestSchemas: Readonly<Record<RequestMethod, z.ZodType | undefined>> = {
  [Watch.method]: Watch.params,
  [GetSnapshot.method]: GetSnapshot.params,
  [LaunchPool.method]: LaunchPool.params,
  [Shutdown.method]: Shutdown.params,
  [PlanShutdown.method]: PlanShutdown.params,
  [CancelTask.method]: CancelTask.params,
  [RetryTask.method]: RetryTask.params,
  [GetFailures.method]: GetFailures.params,
  [FollowOutput.method]: FollowOutput.params,
  [RemovePool.method]: RemovePool.params,
  [RunProgram.method]: RunProgram.params,
  [ProgramStarted.method]: ProgramStarted.params,
  [ProgramExited.method]: ProgramExited.params,
  [Look.method]: Look.params,
  [Rescue.method]: Rescue.params,
  [GetStacks.method]: GetStacks.params,
  [AttachProcess.method]: AttachProcess.params,
  [ConfirmAttached.method]: ConfirmAttached.params,
  [ListProcesses.method]: undefined,
  [HostStatus.method]: undefined,
  [Ping.method]: undefined,
  [StopHost.method]: undefined,
}
