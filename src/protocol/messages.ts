/**
 * The `unhang/*` messages, spoken beside LSP on the same connection. One namespace a message: method, type and the
 * schema that the host checks its parameters with. {@link Requests} and {@link Notifications} join method and type, for
 * whichever JSON-RPC library is at either end (client and server ship different versions of it).
 */
import * as z from 'zod'
import type { PoolVerdictSnapshot, Snapshot } from './snapshot'

/** Raised when a message changes its shape; a client and a host of different versions refuse each other by it. */
export const protocolVersion = 1

/** `initializationOptions` of the LSP handshake. Without the right token the host ends the connection. */
export const initializationOptionsSchema = z.object({
  token: z.string().max(256),
  protocolVersion: z.number().int(),
  client: z.enum(['vscode', 'cli', 'test']),
  /**
   * The pid namespace of the client, in which `processId` and every pid that it names are numbers; left out where there
   * are none.
   */
  pidNamespace: z.string().max(64).optional(),
})
export type InitializationOptions = z.infer<typeof initializationOptionsSchema>

/**
 * Error codes of our own, outside the ranges that JSON-RPC and LSP reserve. Parameters of the wrong shape are answered
 * with JSON-RPC's own -32602.
 */
export const errorCodes = {
  /** A definition that cannot run; data is {@link LaunchErrorData}. */
  launch: 1001,
  /** No pool, worker or task of that id (it may have been removed). */
  notFound: 1002,
  /** Not possible in the pool's or task's present state. */
  wrongState: 1003,
} as const

/** Something to shut down. `stuck` = every stuck worker, `orphans` = every pool that a dead host left behind. */
export const shutdownTargetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pool'), poolId: z.string() }),
  z.object({ kind: z.literal('worker'), poolId: z.string(), pid: z.number().int() }),
  z.object({ kind: z.literal('task'), poolId: z.string(), taskId: z.string() }),
  z.object({ kind: z.literal('stuck') }),
  z.object({ kind: z.literal('orphans') }),
  z.object({ kind: z.literal('all') }),
])
export type ShutdownTargetParams = z.infer<typeof shutdownTargetSchema>

/** Which pools a client wants measured (CPU and memory): nothing is sampled while nobody looks. */
export namespace Watch {
  export const method = 'unhang/watch'
  export const params = z.object({
    workers: z.boolean(),
    machine: z.boolean(),
    intervalMs: z.number().int().min(200).max(60_000),
  })
  export type Params = z.infer<typeof params>
}

function holdsNoNul(env: Record<string, string>): boolean {
  return !Object.entries(env).some(([name, value]) => name.includes('\0') || value.includes('\0'))
}

/** How a program is watched; what is left out is the host's default. */
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
  /**
   * False keeps the tasks' arguments out of labels and of the flight recorder (a lost task can then only be failed).
   */
  recordArguments: z.boolean().optional(),
  /** The signal that makes its Pythons write their stacks; 0 = none. Default: one that is free. */
  stackSignal: z.number().int().min(0).max(64).optional(),
})
export type WatchOptions = z.infer<typeof watchOptionsSchema>

/** A snapshot, or a delta when `since` is a revision the host still knows. */
export namespace GetSnapshot {
  export const method = 'unhang/snapshot'
  export const params = z.object({ since: z.number().int().nonnegative().optional() })
  export type Params = z.infer<typeof params>
}

/** Host → client, at most four a second: something changed, fetch when you like. */
export namespace Changed {
  export const method = 'unhang/changed'
  export interface Params {
    rev: number
  }
}

/**
 * Starts a pool from a definition (as in tasks.json) or by the label of a task in the workspace's tasks.json.
 * `env` is the client's environment, so that a pool started from a terminal sees that terminal's PATH.
 */
export namespace LaunchPool {
  export const method = 'unhang/launchPool'
  export const params = z.object({
    label: z.string().optional(),
    definition: z.record(z.string(), z.unknown()).optional(),
    env: z.record(z.string(), z.string()).refine(holdsNoNul, 'holds a NUL character').optional(),
    defaults: z
      .object({
        stuckAfterMs: z.number().optional(),
        gracePeriodMs: z.number().optional(),
        useSigkill: z.boolean().optional(),
        nodePath: z.string().optional(),
        pythonPath: z.string().optional(),
        recordArguments: z.boolean().optional(),
        stackSignal: z.number().int().min(0).max(64).optional(),
      })
      .optional(),
    /** Follow its output from the first byte, as {@link FollowOutput} would a moment later. */
    follow: z.boolean().optional(),
  })
  export type Params = z.infer<typeof params>
  export interface Result {
    poolId: string
    name: string
    total: number
    warnings: string[]
  }
}
/** Error data of a definition that cannot run: one entry per key (`items.glob`), or `label` where no task has it. */
export interface LaunchErrorData {
  problems: { key: string; message: string }[]
}

/** Every way to end something: one request, because there is one shutdown core. */
export namespace Shutdown {
  export const method = 'unhang/shutdown'
  export const params = z.object({
    targets: z.array(shutdownTargetSchema).min(1).max(10_000),
    mode: z.enum(['terminate', 'kill']),
    gracePeriodMs: z.number().int().min(0).max(3_600_000).optional(),
    useSigkill: z.boolean().optional(),
    askedBy: z.enum(['user', 'cli', 'deactivate']),
    reason: z.string().max(500).optional(),
  })
  export type Params = z.infer<typeof params>
  export interface Result {
    issues: string[]
    reports: ShutdownReportWire[]
  }
}
/** The shutdown core's report as it travels. */
export interface ShutdownReportWire {
  subject: { id: string; name: string }
  startedAt: number
  durationMs: number
  workers: {
    name: string
    pid: number
    descendantOf?: string | undefined
    /** `order` counts the signals of the whole shutdown, from 1; a host of before does not tell. */
    sent: { signal: string; atMs: number; outcome: string; order?: number | undefined }[]
    foreseen: string[]
    outcome: string
    endedAfterMs?: number | undefined
    /** The living process above it for whose sake it got no signal. */
    heldBackBy?: { name: string; pid: number } | undefined
  }[]
  issues: string[]
}
/** What {@link Shutdown} would do now, without doing it: a plan for each pool, program and worker that is named. */
export namespace PlanShutdown {
  export const method = 'unhang/planShutdown'
  export const params = Shutdown.params
  export type Params = z.infer<typeof params>
  export interface Result {
    plans: ShutdownPlanWire[]
  }
}
/** A plan as it travels; processes stand in the order in which they would be signalled. */
export interface ShutdownPlanWire {
  subject: { id: string; name: string }
  gracePeriodMs: number
  /** What the parent of the one worker that is ended will make of it, in words, as far as known. */
  consequence?: string | undefined
  processes: {
    name: string
    pid: number
    command: string
    descendantOf?: string | undefined
    /** From 1; those of one step are signalled together, those of the next once what is above them has ended. */
    step: number
    after: { name: string; pid: number } | null
    /** Its channel is closed first. */
    asked: boolean
    signals: string[]
    /** What is known of how it will answer, in words. */
    answer: string
  }[]
}
/** Host → all clients after any shutdown, whoever asked. */
export namespace ShutdownDone {
  export const method = 'unhang/shutdownDone'
  export interface Params {
    askedBy: string
    reason: string
    report: ShutdownReportWire
  }
}

/**
 * Host → all clients when the `onStuck` of a watched program acts. It is sent before the first signal, so whoever
 * started the program knows of it when the host answers to its end.
 */
export namespace PolicyActed {
  export const method = 'unhang/policyActed'
  export interface Params {
    programId: string
    /** The program, or the pool in it, that is stuck, and what it is called. */
    poolId: string
    name: string
    onStuck: 'terminate' | 'kill' | 'retry'
    /** `retry` tells `retried`, with what was done, and once `gaveUp`, with what did not help. */
    outcome: 'ends' | 'retried' | 'gaveUp'
    what: string[]
    /** What was stuck. */
    verdicts: PoolVerdictSnapshot[]
  }
}

/** Cancels a queued task, or ends the worker of a running one. */
export namespace CancelTask {
  export const method = 'unhang/cancelTask'
  export const params = z.object({ poolId: z.string(), taskId: z.string() })
  export type Params = z.infer<typeof params>
}
/** Runs a task that failed, was lost, timed out or was cancelled once more, in the same pool while it runs. */
export namespace RetryTask {
  export const method = 'unhang/retryTask'
  export const params = z.object({ poolId: z.string(), taskId: z.string() })
  export type Params = z.infer<typeof params>
}

/** The tasks of a pool that did not end as `done`, newest last. */
export namespace GetFailures {
  export const method = 'unhang/failures'
  export const params = z.object({ poolId: z.string(), limit: z.number().int().min(1).max(1000).default(200) })
  export type Params = z.input<typeof params>
  export interface Failure {
    taskId: string
    label: string
    state: string
    message: string
    worker: string
    pid: number
    exitCode: number | null
    signal: string | null
    elapsedMs: number
    attempts: number
    stdoutPath: string | null
    stderrPath: string | null
  }
  export interface Result {
    failures: Failure[]
    total: number
  }
}

/** Follow a pool's output; what is still buffered (the last 64 KiB) comes first. */
export namespace FollowOutput {
  export const method = 'unhang/followOutput'
  export const params = z.object({ poolId: z.string(), follow: z.boolean() })
  export type Params = z.infer<typeof params>
}
/**
 * Host → client: output in order; `dropped` bytes were left out because the client was too slow (the files have them).
 */
export namespace Output {
  export const method = 'unhang/output'
  export interface Params {
    poolId: string
    chunks: { worker: string; taskId: string | null; stream: 'stdout' | 'stderr'; text: string }[]
    dropped: number
  }
}

/** Forget a pool that has ended (it leaves the tree). */
export namespace RemovePool {
  export const method = 'unhang/removePool'
  export const params = z.object({ poolId: z.string() })
  export type Params = z.infer<typeof params>
}

/**
 * A program that the client starts itself, in its own terminal, with the environment that comes back: `unhang run`. The
 * client then tells of its start and its end ({@link ProgramStarted}, {@link ProgramExited}).
 */
export namespace RunProgram {
  export const method = 'unhang/runProgram'
  export const params = z.object({
    argv: z.array(z.string()).min(1).max(10_000),
    /** Absolute. */
    cwd: z.string(),
    env: z.record(z.string(), z.string()).refine(holdsNoNul, 'holds a NUL character'),
    options: watchOptionsSchema,
  })
  export type Params = z.infer<typeof params>
  /**
   * `env`: what to add to the program's environment. `notObserved`: why no observer can be inside, where that is known
   * beforehand.
   */
  export interface Result {
    programId: string
    name: string
    env: Record<string, string>
    notObserved?: string
  }
}
export namespace ProgramStarted {
  export const method = 'unhang/programStarted'
  export const params = z.object({ programId: z.string(), pid: z.number().int().min(2) })
  export type Params = z.infer<typeof params>
}
export namespace ProgramExited {
  export const method = 'unhang/programExited'
  export const params = z.object({
    programId: z.string(),
    exitCode: z.number().int().nullable(),
    signal: z.string().nullable(),
  })
  export type Params = z.infer<typeof params>
  /** The signal by which Unhang ended the program; null where it did not. */
  export interface Result {
    endedBy: 'SIGTERM' | 'SIGKILL' | null
  }
}

/**
 * Looks at a pool, or at all, right now: what `unhang why` does before it speaks. Answered when the verdicts are in the
 * snapshot.
 */
export namespace Look {
  export const method = 'unhang/look'
  export const params = z.object({ poolId: z.string().optional() })
  export type Params = z.infer<typeof params>
}

/** What a rescue can do to a pool of a watched program; each is done only if the evidence for it still holds. */
export const rescueActionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fail'), task: z.string() }),
  z.object({ kind: z.literal('retry'), task: z.string() }),
  z.object({ kind: z.literal('release'), lock: z.enum(['tasks', 'results']) }),
  z.object({ kind: z.literal('continue'), pid: z.number().int().min(2) }),
])
export type RescueAction = z.infer<typeof rescueActionSchema>

export namespace Rescue {
  export const method = 'unhang/rescue'
  export const params = z.object({
    poolId: z.string(),
    actions: z.array(rescueActionSchema).min(1).max(10_000),
    askedBy: z.enum(['user', 'cli', 'policy']),
  })
  export type Params = z.infer<typeof params>
  /** One entry an action, in their order. `text` says what was done, or why nothing was. */
  export interface Result {
    outcomes: { done: boolean; text: string }[]
  }
}

/** The stacks of one process: of a watched program, of an attached one, or of any pool's worker. */
export namespace GetStacks {
  export const method = 'unhang/stacks'
  export const params = z.object({ pid: z.number().int().min(2) })
  export type Params = z.infer<typeof params>
  export interface Frame {
    file: string
    line: number
    function: string
    code: string
  }
  export interface Thread {
    id: string
    name: string
    frames: Frame[]
  }
  export interface Result {
    pid: number
    /** `ForkPoolWorker-3`, or the program's name. */
    name: string
    source: 'observer' | 'faulthandler' | 'py-spy' | 'inspector'
    /** Innermost frame first. */
    threads: Thread[]
    /** What is to be known about it: `is in C code and holds the GIL`. */
    note: string | null
  }
}

/** Looks at a program that runs already. Nothing is sent to it before {@link ConfirmAttached}. */
export namespace AttachProcess {
  export const method = 'unhang/attach'
  export const params = z.object({ pid: z.number().int().min(2) })
  export type Params = z.infer<typeof params>
  export interface Result {
    programId: string
    name: string
    pids: number[]
  }
}
/**
 * From now on the attached program and its workers may be ended; `pids` are those that the user was shown, all of them.
 */
export namespace ConfirmAttached {
  export const method = 'unhang/confirmAttached'
  export const params = z.object({ poolId: z.string(), pids: z.array(z.number().int().min(2)).max(10_000) })
  export type Params = z.infer<typeof params>
}
/** What could be attached to: the user's processes that have children or whose working folder is in the workspace. */
export namespace ListProcesses {
  export const method = 'unhang/processes'
  export interface Process {
    pid: number
    parentPid: number
    /** The command line, at most 300 characters. */
    command: string
    kind: 'python' | 'node' | 'other'
    inWorkspace: boolean
    children: number
    /** Children that look like workers of a process pool. */
    poolWorkers: number
  }
  export interface Result {
    processes: Process[]
  }
}

export namespace HostStatus {
  export const method = 'unhang/hostStatus'
  /** `unwatched`: programs that a host before this one watched, that still run, and that nobody watches now. */
  export interface Result {
    pid: number
    version: string
    startedAt: number
    clients: number
    pools: number
    logFile: string
    unwatched: RunningProgram[]
  }
}
/** A program that is not the host's to end. */
export interface RunningProgram {
  name: string
  pid: number
}
/** Does nothing, by way of a thread that reads files: a host that does not answer it is of no use for anything. */
export namespace Ping {
  export const method = 'unhang/ping'
}
/** Ends every pool that the host owns through the shutdown core, then the host. */
export namespace StopHost {
  export const method = 'unhang/stopHost'
  /** `runOn`, where there are any: programs of terminals and attached ones, which go on without being watched. */
  export interface Result {
    issues: string[]
    runOn?: RunningProgram[]
  }
}

/** Every request: what goes, what comes back. */
export interface Requests {
  [Watch.method]: { params: Watch.Params; result: null }
  [GetSnapshot.method]: { params: GetSnapshot.Params; result: Snapshot }
  [LaunchPool.method]: { params: LaunchPool.Params; result: LaunchPool.Result }
  [Shutdown.method]: { params: Shutdown.Params; result: Shutdown.Result }
  [PlanShutdown.method]: { params: PlanShutdown.Params; result: PlanShutdown.Result }
  [CancelTask.method]: { params: CancelTask.Params; result: null }
  [RetryTask.method]: { params: RetryTask.Params; result: null }
  [GetFailures.method]: { params: GetFailures.Params; result: GetFailures.Result }
  [FollowOutput.method]: { params: FollowOutput.Params; result: null }
  [RemovePool.method]: { params: RemovePool.Params; result: null }
  [RunProgram.method]: { params: RunProgram.Params; result: RunProgram.Result }
  [ProgramStarted.method]: { params: ProgramStarted.Params; result: null }
  [ProgramExited.method]: { params: ProgramExited.Params; result: ProgramExited.Result }
  [Look.method]: { params: Look.Params; result: null }
  [Rescue.method]: { params: Rescue.Params; result: Rescue.Result }
  [GetStacks.method]: { params: GetStacks.Params; result: GetStacks.Result }
  [AttachProcess.method]: { params: AttachProcess.Params; result: AttachProcess.Result }
  [ConfirmAttached.method]: { params: ConfirmAttached.Params; result: null }
  [ListProcesses.method]: { params: Record<string, never>; result: ListProcesses.Result }
  [HostStatus.method]: { params: Record<string, never>; result: HostStatus.Result }
  [Ping.method]: { params: Record<string, never>; result: null }
  [StopHost.method]: { params: Record<string, never>; result: StopHost.Result }
}
export type RequestMethod = keyof Requests

/** Every notification from the host. */
export interface Notifications {
  [Changed.method]: Changed.Params
  [ShutdownDone.method]: ShutdownDone.Params
  [PolicyActed.method]: PolicyActed.Params
  [Output.method]: Output.Params
}
