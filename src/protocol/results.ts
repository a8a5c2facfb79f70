/**
 * The shapes that the host answers with. The host makes them, so that the compiler checks them and no schema does.
 * Times are epoch milliseconds, durations milliseconds.
 */

/** Error data of a definition that cannot run: one entry per key (`items.glob`), or `label` where no task has it. */
export interface LaunchErrorData {
  problems: { key: string; message: string }[]
}

/** A pool, or a watched program, that was launched. */
export interface LaunchedPool {
  poolId: string
  name: string
  total: number
  warnings: string[]
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
    /** `order` numbers the signals of the whole shutdown from 1; absent from reports of hosts older than the field. */
    sent: { signal: string; atMs: number; outcome: string; order?: number | undefined }[]
    foreseen: string[]
    outcome: string
    endedAfterMs?: number | undefined
    /** The living ancestor that was protected by not signalling this process. */
    heldBackBy?: { name: string; pid: number } | undefined
  }[]
  issues: string[]
}

/** A shutdown plan as it travels; processes stand in the order in which they would be signalled. */
export interface ShutdownPlanWire {
  subject: { id: string; name: string }
  gracePeriodMs: number
  /** How the parent of the one worker that is ended will react, in words, as far as known. */
  consequence?: string | undefined
  processes: {
    name: string
    pid: number
    command: string
    descendantOf?: string | undefined
    /** From 1. Processes of one step are signalled together, once those of the step before have ended. */
    step: number
    after: { name: string; pid: number } | null
    /** Whether its channel is closed before the first signal. */
    asked: boolean
    signals: string[]
    /** How the process is expected to react to the signals, in words. */
    answer: string
  }[]
}

/** A task that did not end as `done`. */
export interface TaskFailure {
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

/** The failed tasks of a pool, newest last; `total` also counts those beyond the requested limit. */
export interface TaskFailures {
  failures: TaskFailure[]
  total: number
}

/** The environment that a client adds to the program that it starts. */
export interface ProgramSession {
  programId: string
  name: string
  env: Record<string, string>
  /** Why no observer can be inside the program, where that is known before its start. */
  notObserved?: string
}

/** One line of a stack. */
export interface StackFrame {
  file: string
  line: number
  function: string
  code: string
}

/** The stack of one thread, innermost frame first. */
export interface StackThread {
  id: string
  name: string
  frames: StackFrame[]
}

/** The stacks of one process. */
export interface ProcessStacks {
  pid: number
  /** `ForkPoolWorker-3`, or the program's name. */
  name: string
  source: 'observer' | 'faulthandler' | 'py-spy' | 'inspector'
  threads: StackThread[]
  /** A remark on the process: `is in C code and holds the GIL`. */
  note: string | null
}

/** A program that was attached to, and the processes that a confirmation has to name. */
export interface AttachedProcess {
  programId: string
  name: string
  pids: number[]
}

/** A process that could be attached to. */
export interface ListedProcess {
  pid: number
  parentPid: number
  /** The command line, at most 300 characters. */
  command: string
  kind: 'python' | 'node' | 'other'
  inWorkspace: boolean
  children: number
  /** Number of children that look like workers of a process pool. */
  poolWorkers: number
}

/** A running program that the host does not own, and therefore does not end. */
export interface RunningProgram {
  name: string
  pid: number
}

/** The host process and what it serves. */
export interface HostStatus {
  pid: number
  version: string
  startedAt: number
  clients: number
  pools: number
  logFile: string
  /** Running programs that a previous host watched and that no host watches now. */
  unwatched: RunningProgram[]
}

/** The end of the host. */
export interface StoppedHost {
  issues: string[]
  /** Programs of terminals and attached ones, which run on unobserved; absent when there are none. */
  runOn?: RunningProgram[]
}
