import * as z from 'zod'
import { environmentSchema } from './nul'
import type {
  AttachedProcess,
  HostStatus,
  LaunchedPool,
  ListedProcess,
  ProcessStacks,
  ProgramSession,
  ShutdownPlanWire,
  ShutdownReportWire,
  StoppedHost,
  TaskFailures,
} from './results'
import type { Snapshot } from './snapshot'

/** A request: the schema that the host checks its parameters with, and the type of its result. */
export interface RequestDefinition<Params extends z.ZodType, Result> {
  readonly params: Params
  /** Carries the type alone. */
  readonly result: ResultType<Result>
}

interface ResultType<Result> {
  readonly type?: Result
}

/** The type of a result, as a value of the table. */
const result = <Result>(): ResultType<Result> => ({})

function request<Params extends z.ZodType, Result>(
  params: Params,
  type: ResultType<Result>,
): RequestDefinition<Params, Result> {
  return { params, result: type }
}

const done = result<null>()

/** Parameters of a request that takes none: they are ignored, whatever their shape. */
const nothing = z.custom<Record<string, never>>()

const pid = z.number().int().min(2)
const signalNumber = z.number().int().min(0).max(64)
const ofPool = z.object({ poolId: z.string() })
const ofTask = z.object({ poolId: z.string(), taskId: z.string() })

/** What to shut down: `stuck` = every stuck worker, `orphans` = every pool that a dead host left behind. */
export const shutdownTargetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pool'), poolId: z.string() }),
  z.object({ kind: z.literal('worker'), poolId: z.string(), pid: z.number().int() }),
  z.object({ kind: z.literal('task'), poolId: z.string(), taskId: z.string() }),
  z.object({ kind: z.literal('stuck') }),
  z.object({ kind: z.literal('orphans') }),
  z.object({ kind: z.literal('all') }),
])

const shutdownParams = z.object({
  targets: z.array(shutdownTargetSchema).min(1).max(10_000),
  mode: z.enum(['terminate', 'kill']),
  gracePeriodMs: z.number().int().min(0).max(3_600_000).optional(),
  useSigkill: z.boolean().optional(),
  askedBy: z.enum(['user', 'cli', 'deactivate']),
  reason: z.string().max(500).optional(),
})

/** How a program is watched; an absent option takes the host's default. */
export const watchOptionsSchema = z.object({
  name: z.string().min(1).max(200).optional(),
  stuckAfterMs: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional(),
  gracePeriodMs: z.number().int().min(0).max(3_600_000).optional(),
  useSigkill: z.boolean().optional(),
  onStuck: z.enum(['flag', 'terminate', 'kill', 'retry']).optional(),
  /** False keeps task arguments out of labels and of the flight recorder (a lost task can then only be failed). */
  recordArguments: z.boolean().optional(),
  /** The signal that makes its Python processes write their stacks; 0 = none. Default: a signal that is free. */
  stackSignal: signalNumber.optional(),
})

/** A remedy of a rescue for a pool of a watched program; it is applied only if the evidence for it still holds. */
export const rescueActionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fail'), task: z.string() }),
  z.object({ kind: z.literal('retry'), task: z.string() }),
  z.object({ kind: z.literal('release'), lock: z.enum(['tasks', 'results']) }),
  z.object({ kind: z.literal('continue'), pid }),
])

/**
 * Every request of the protocol, by its method on the wire. The types of clients and the host's handlers are derived
 * from this table (see messages.ts): a new request is an entry here, and a handler in src/host/handlers.ts.
 */
export const requests = {
  /** Which pools the client wants measured (CPU and memory): nothing is sampled without a client that shows it. */
  'unhang/watch': request(
    z.object({ workers: z.boolean(), machine: z.boolean(), intervalMs: z.number().int().min(200).max(60_000) }),
    done,
  ),

  /** A snapshot, or a delta when `since` is a revision the host still knows. */
  'unhang/snapshot': request(z.object({ since: z.number().int().nonnegative().optional() }), result<Snapshot>()),

  /**
   * Starts a pool from a definition (as in tasks.json) or by the label of a task in the workspace's tasks.json.
   * `env` is the client's environment, so that a pool started from a terminal sees that terminal's PATH.
   */
  'unhang/launchPool': request(
    z.object({
      label: z.string().optional(),
      definition: z.record(z.string(), z.unknown()).optional(),
      env: environmentSchema.optional(),
      defaults: z
        .object({
          stuckAfterMs: z.number().optional(),
          gracePeriodMs: z.number().optional(),
          useSigkill: z.boolean().optional(),
          nodePath: z.string().optional(),
          pythonPath: z.string().optional(),
          recordArguments: z.boolean().optional(),
          stackSignal: signalNumber.optional(),
        })
        .optional(),
      /** Follow its output from the first byte, which a later `unhang/followOutput` may miss. */
      follow: z.boolean().optional(),
    }),
    result<LaunchedPool>(),
  ),

  /** Every way to end something: one request, because there is one shutdown core. */
  'unhang/shutdown': request(shutdownParams, result<{ issues: string[]; reports: ShutdownReportWire[] }>()),

  /** What `unhang/shutdown` would do now, without doing it: a plan for each pool, program and worker that is named. */
  'unhang/planShutdown': request(shutdownParams, result<{ plans: ShutdownPlanWire[] }>()),

  /** Cancels a queued task, or ends the worker of a running one. */
  'unhang/cancelTask': request(ofTask, done),

  /** Runs a task that failed, was lost, timed out or was cancelled once more, in the same pool while that runs. */
  'unhang/retryTask': request(ofTask, done),

  /** The tasks of a pool that did not end as `done`, newest last. */
  'unhang/failures': request(
    z.object({ poolId: z.string(), limit: z.number().int().min(1).max(1000).default(200) }),
    result<TaskFailures>(),
  ),

  /** Starts or ends the notifications of a pool's output; buffered output (the last 64 KiB) is sent first. */
  'unhang/followOutput': request(z.object({ poolId: z.string(), follow: z.boolean() }), done),

  /** Removes a pool that has ended from the snapshot. */
  'unhang/removePool': request(ofPool, done),

  /**
   * Prepares a program that the client starts in its own terminal with the environment of the result: `unhang run`. The
   * client then reports its start and its end (`unhang/programStarted`, `unhang/programExited`).
   */
  'unhang/runProgram': request(
    z.object({
      argv: z.array(z.string()).min(1).max(10_000),
      /** Absolute. */
      cwd: z.string(),
      env: environmentSchema,
      options: watchOptionsSchema,
    }),
    result<ProgramSession>(),
  ),
  'unhang/programStarted': request(z.object({ programId: z.string(), pid }), done),
  /** `endedBy`: the signal by which Unhang ended the program; null where it did not. */
  'unhang/programExited': request(
    z.object({ programId: z.string(), exitCode: z.number().int().nullable(), signal: z.string().nullable() }),
    result<{ endedBy: 'SIGTERM' | 'SIGKILL' | null }>(),
  ),

  /** Samples one pool, or all, right now (`unhang why`). Answered when the verdicts are in the snapshot. */
  'unhang/look': request(z.object({ poolId: z.string().optional() }), done),

  /** One outcome an action, in their order. `text` says what was done, or why nothing was. */
  'unhang/rescue': request(
    z.object({
      poolId: z.string(),
      actions: z.array(rescueActionSchema).min(1).max(10_000),
      askedBy: z.enum(['user', 'cli', 'policy']),
    }),
    result<{ outcomes: { done: boolean; text: string }[] }>(),
  ),

  /** The stacks of one process: of a watched program, of an attached one, or of any pool's worker. */
  'unhang/stacks': request(z.object({ pid }), result<ProcessStacks>()),

  /** Attaches to a running program, read-only: it gets no signal before `unhang/confirmAttached`. */
  'unhang/attach': request(z.object({ pid }), result<AttachedProcess>()),

  /** Allows signals to an attached program and its workers; `pids` are all those that the user was shown. */
  'unhang/confirmAttached': request(z.object({ poolId: z.string(), pids: z.array(pid).max(10_000) }), done),

  /** Processes to attach to: the user's that have children or whose working folder is in the workspace. */
  'unhang/processes': request(nothing, result<{ processes: ListedProcess[] }>()),

  'unhang/hostStatus': request(nothing, result<HostStatus>()),

  /** Does nothing, on a thread that reads files: a host that does not answer it cannot serve any request. */
  'unhang/ping': request(nothing, done),

  /** Ends every pool that the host owns through the shutdown core, then the host. */
  'unhang/stopHost': request(nothing, result<StoppedHost>()),
} as const
