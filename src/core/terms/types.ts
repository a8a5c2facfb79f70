import type { Verdict } from '../../diagnosis'
import type { ShutdownActor, ShutdownReport } from '../../shutdown'

/** As in CPython's pool.py, plus `ended`: every worker is gone. */
export type PoolState = 'init' | 'run' | 'close' | 'terminate' | 'ended'
export type WorkerStatus = 'starting' | 'idle' | 'busy' | 'stopping' | 'exited'
export type TaskState = 'queued' | 'running' | 'done' | 'failed' | 'lost' | 'timedOut' | 'cancelled'
/** The tasks.json key that says what the workers run. */
export type PoolKind = 'module' | 'python' | 'command'
/** What happens to the worker of a task that a verdict calls stuck; see {@link PoolOptions}. */
export type OnStuck = 'flag' | 'terminate' | 'kill' | 'retry'
export type OnFailure = 'continue' | 'stop'

interface CommonPoolOptions {
  /** Shown in the tree and in issues. Default: the module's or the program's file name. */
  name?: string
  /** Number of workers at a time. Default: `os.availableParallelism()`. */
  processes?: number
  /** A worker is replaced after this many tasks (CPython's maxtasksperchild). */
  maxTasksPerChild?: number
  /** A running task is looked at for a verdict after this long. Default 30000. */
  stuckAfterMs?: number
  /** Hard limit from the start of a task's run; its worker is killed. Default: none. */
  timeoutMs?: number
  /**
   * Soft limit from the start of a task's run. A module's task finds the AbortSignal of {@link currentTask} aborted, a
   * Python task gets a SoftTimeLimitExceeded, a command gets SIGTERM. Default: none.
   */
  softTimeoutMs?: number
  /**
   * `applyAsync` throws a QueueFullError while so many tasks wait in the queue; what takes many items waits instead.
   * Default: no limit.
   */
  maxQueued?: number
  /** How often a task that was lost with its worker runs again. Default 0: side effects are never repeated silently. */
  retries?: number
  /**
   * What is done about a stuck task. `flag` (default): it is only shown. `terminate`, `kill`: its worker is ended, by
   * SIGTERM or SIGKILL, and the task is lost (or runs again, while it has `retries` left). `retry`: as `kill`, and the
   * task runs again at least once, even with `retries: 0`: choosing `retry` is the consent that a retry needs. Stuck
   * again: lost.
   */
  onStuck?: OnStuck
  /** `stop`: the first task that fails, is lost or times out terminates the pool. Default `continue`. */
  onFailure?: OnFailure
  /** Bound of each shutdown pass. Default 100 (Keras' 0.1 s). */
  gracePeriodMs?: number
  /** Let `terminate()` escalate to SIGKILL. Default false. */
  useSigkill?: boolean
  cwd?: string
  /** Added to (null: removed from) the parent's environment. */
  env?: Record<string, string | null>
  /**
   * Where the full output of each task is kept; a bounded tail is kept in memory. Default: a private temp folder,
   * removed when the pool is disposed.
   */
  outputDirectory?: string
}
/** Options of pools whose workers do many tasks. */
interface PersistentPoolOptions extends CommonPoolOptions {
  /**
   * A function that each worker calls before its first task, by name or `{ module, name }`. One that throws keeps
   * workers from starting.
   */
  initializer?: FunctionName
  /** What it is called with. */
  initargs?: readonly unknown[]
  /**
   * A worker that has more resident memory than this after a task is replaced; no task is lost, and it does not count
   * as a crash.
   */
  maxMemoryPerChildBytes?: number
  /**
   * Workers without a task for so long leave, down to `minProcesses`, and come back when there is something to do.
   * Default: they stay.
   */
  idleTimeoutMs?: number
  /** Default 0. */
  minProcesses?: number
}
/** An export of the pool's module, or of another one (its path, or Python's dotted name). */
export type FunctionName = string | { readonly module: string; readonly name: string }
/** Persistent Node processes that run exports of one module. */
export interface ModulePoolOptions extends PersistentPoolOptions {
  /** Path of a CommonJS or ES module, relative to `cwd`; `./tasks.js#resize` names the export that items run. */
  module: string
  /** Node executable of the workers. Default: this process's own. */
  nodePath?: string
  /** The workers' entry point. Default: `node-worker.js` beside this file, else in `dist/`. */
  workerPath?: string
}
/** Persistent Python interpreters (3.8 or newer) that run functions of one module. Arguments and results are JSON. */
export interface PythonPoolOptions extends PersistentPoolOptions {
  /**
   * `package.module`, or `package.module:function` to name the function that items run; found from `cwd` and
   * PYTHONPATH.
   */
  python: string
  /** Python executable of the workers. Default: the workspace's virtual environment, else `python3` on PATH. */
  pythonPath?: string
  /** The workers' entry point. Default: `python/worker.py` beside this file, else in `dist/`. */
  workerPath?: string
}
/**
 * One process per task. A string runs in a shell, an array without; `${item}` and `${index}` are replaced (quoted in a
 * shell).
 */
export interface CommandPoolOptions extends CommonPoolOptions {
  command: string | readonly string[]
}
export type PoolOptions = ModulePoolOptions | PythonPoolOptions | CommandPoolOptions

/** What `pool.workers` holds, newest state, plain data. */
export interface WorkerInfo {
  readonly name: string
  /** -1 until the process exists. */
  readonly pid: number
  readonly status: WorkerStatus
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly tasksDone: number
  readonly startedAt: number
  readonly exitedAt: number | null
  /** The task in flight; after an exit the task it took with it. */
  readonly task?: TaskInfo
}
export interface TaskInfo {
  readonly id: string
  /** `resize(img_7.png)`, `convert a.png`. */
  readonly label: string
  readonly state: TaskState
  readonly index: number
  /** Epoch ms of the current run, null while queued. */
  readonly startedAt: number | null
  readonly endedAt: number | null
  /** How long the current run has taken, also when the clock was set meanwhile; null unless it runs. Milliseconds. */
  readonly elapsedMs: number | null
  readonly attempt: number
  readonly stuck: boolean
  readonly verdict: Verdict | null
}
export interface TaskCounts {
  queued: number
  running: number
  stuck: number
  done: number
  failed: number
  lost: number
  timedOut: number
  cancelled: number
}
/** How a task ended, for those who show it; the second argument of `taskEnd`. */
export interface TaskEndDetail {
  /** Why it did not end as `done`, in one line; null when it did. */
  readonly message: string | null
  /** What its AsyncResult rejects with: the task's own error, or one of ours. */
  readonly error: unknown
  /** The worker that ran it last; null when it never ran. */
  readonly worker: string | null
  readonly pid: number | null
  /** Of that worker, when the task ended with it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly elapsedMs: number
  /** Files with its full output; null when it printed nothing on that stream. */
  readonly stdoutPath: string | null
  readonly stderrPath: string | null
  /**
   * Why its output could not be kept in a file (disk full, folder removed); null when it could. The task itself goes
   * on.
   */
  readonly outputError: string | null
}
/** One task that did not end as `done`; the pool keeps the last 1000. */
export interface FailureRecord {
  readonly task: TaskInfo
  readonly detail: TaskEndDetail
}
/** A chunk of a worker's output; `taskId` is null for what it prints outside of a task. */
export interface OutputChunk {
  readonly worker: string
  readonly taskId: string | null
  readonly stream: 'stdout' | 'stderr'
  readonly chunk: Buffer
}
/** Result of one task of a command pool. stdout and stderr are bounded tails; the files hold everything. */
export interface CommandResult {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** null when it printed nothing there (no file is made then). */
  readonly stdoutPath: string | null
  readonly stderrPath: string | null
}
/** How a shutdown of a pool or a worker is asked for. */
export interface ShutdownOptions {
  /** Straight to SIGKILL. */
  readonly kill: boolean
  /** Default: the pool's. */
  readonly gracePeriodMs?: number | undefined
  /** Default: the pool's. */
  readonly useSigkill?: boolean | undefined
  readonly askedBy: ShutdownActor
  readonly reason: string
}
/** What `pool.on` hears. */
export interface PoolEvents {
  stateChange: [state: PoolState]
  workerStart: [worker: WorkerInfo]
  workerChange: [worker: WorkerInfo]
  workerExit: [worker: WorkerInfo]
  taskStart: [task: TaskInfo, worker: WorkerInfo]
  taskEnd: [task: TaskInfo, detail: TaskEndDetail]
  /** Lost (or ended because it was stuck) and queued again; `detail` is of the attempt that ended. */
  taskRetry: [task: TaskInfo, detail: TaskEndDetail]
  taskStuck: [task: TaskInfo, worker: WorkerInfo]
  taskUnstuck: [task: TaskInfo, worker: WorkerInfo]
  /** It has run for `softTimeoutMs`, and was told so. */
  taskSoftTimeout: [task: TaskInfo, worker: WorkerInfo]
  /** Its worker died; `taskEnd` or `taskRetry` follows. */
  taskLost: [task: TaskInfo, worker: WorkerInfo]
  output: [output: OutputChunk]
  /** After every shutdown of the pool or one of its workers, whoever asked. */
  shutdown: [report: ShutdownReport, options: ShutdownOptions]
  /** The pool ends as failed (crash loop). */
  failed: [message: string]
}

/** Milliseconds. */
export interface Spread {
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}
/** What the runs of one function took; a chunk of items is one run. Retries count as runs of their own. */
export interface FunctionStats {
  readonly name: string
  /** null: the pool's. */
  readonly module: string | null
  /** Runs that came to an end by themselves, well or not. */
  readonly runs: number
  /** From the start of the call to its end, where it ran; null while there is none. */
  readonly runMs: Spread | null
  /** From when it was handed in (or queued again) to the start. */
  readonly waitMs: Spread | null
}
/** {@link Pool.stats}. */
export interface PoolStats {
  readonly counts: TaskCounts
  /** Share of the workers' time that was spent in tasks, 0 to 1, since the pool was made. */
  readonly utilisation: number
  readonly workersStarted: number
  readonly functions: readonly FunctionStats[]
}
