import type { Verdict } from '../diagnosis'

/** As in CPython's pool.py, plus `ended`: every worker is gone. */
export type PoolState = 'init' | 'run' | 'close' | 'terminate' | 'ended'
export type WorkerStatus = 'starting' | 'idle' | 'busy' | 'stopping' | 'exited'
export type TaskState = 'queued' | 'running' | 'done' | 'failed' | 'lost' | 'timedOut' | 'cancelled'
/** The tasks.json key that says what the workers run. */
export type PoolKind = 'module' | 'command'

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
  /** How often a task that was lost with its worker runs again. Default 0: side effects are never repeated silently. */
  retries?: number
  /** Bound of each shutdown pass. Default 100 (Keras' 0.1 s). */
  gracePeriodMs?: number
  /** Let `terminate()` escalate to SIGKILL. Default false. */
  useSigkill?: boolean
  cwd?: string
  /** Added to (null: removed from) the parent's environment. */
  env?: Record<string, string | null>
  /** Where the full output of each task is kept; a bounded tail is kept in memory. Default: a private temp folder, removed when the pool is disposed. */
  outputDirectory?: string
}
/** Persistent Node processes that run exports of one module. */
export interface ModulePoolOptions extends CommonPoolOptions {
  /** Path of a CommonJS or ES module, relative to `cwd`. */
  module: string
  /** Node executable of the workers. Default: this process's own. */
  nodePath?: string
}
/** One process per task. A string runs in a shell, an array without; `${item}` and `${index}` are replaced (quoted in a shell). */
export interface CommandPoolOptions extends CommonPoolOptions {
  command: string | readonly string[]
}
export type PoolOptions = ModulePoolOptions | CommandPoolOptions

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
  readonly attempt: number
  readonly stuck: boolean
  readonly verdict: Verdict | null
}
export interface TaskCounts {
  queued: number; running: number; stuck: number; done: number; failed: number; lost: number; timedOut: number; cancelled: number
}
/** Result of one task of a command pool. stdout and stderr are bounded tails; the files hold everything. */
export interface CommandResult {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly stdoutPath: string
  readonly stderrPath: string
}
