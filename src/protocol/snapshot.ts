/**
 * Snapshots that the host sends and its clients draw. Times are epoch milliseconds, durations milliseconds, sizes
 * bytes.
 */

/** Why something hangs or failed, with its evidence and with what to do. */
export interface VerdictSnapshot {
  code: string
  summary: string
  evidence: { what: string; value: string }[]
  advice: string
  confidence: 'certain' | 'likely' | 'possible'
  /** The texts for translation; missing from hosts that do not send them. */
  messages?: VerdictMessagesSnapshot
}

/** The texts of a verdict as messages. */
export interface VerdictMessagesSnapshot {
  readonly summary: TextSnapshot
  readonly evidence: readonly { readonly what: TextSnapshot; readonly value: TextSnapshot }[]
  readonly advice: TextSnapshot
}

/** A name or a number; or a message, whose id is its English template: `{0} of {1}`. */
export type TextSnapshot = string | number | { readonly id: string; readonly args: readonly TextSnapshot[] }

/** A remedy that a rescue can apply (see `unhang/rescue`). */
export type RescueOptionSnapshot =
  /** Fail this lost task in the program, or (where `retriable`) run it again. */
  | { kind: 'task'; worker: string; pid: number; task: string; label: string; retriable: boolean }
  /** Release a queue lock whose holder is dead. */
  | { kind: 'lock'; lock: 'tasks' | 'results'; worker: string; pid: number }
  /** Continue a stopped worker. */
  | { kind: 'continue'; worker: string; pid: number }

/** A verdict on a whole pool, or on something in it that is no running task (a lost task, a dead lock holder). */
export interface PoolVerdictSnapshot extends VerdictSnapshot {
  /** True: it does not recover on its own. False: information alone. */
  stuck: boolean
  /** The worker that the verdict is on, null = the pool. */
  worker: string | null
  pid: number | null
  /** Id of the task that the verdict is on, as `unhang rescue --task` takes it. */
  task: string | null
  rescue: RescueOptionSnapshot[]
}

/** The program of the kinds `program` and `attached`, whose workers are its own processes. */
export interface ProgramSnapshot {
  /** The command line. */
  argv: string[]
  /** Its main process; null before it has started. */
  pid: number | null
  /** `3.11.7`, null while unknown or when it is no Python program. */
  python: string | null
  /** `waiting`: no pool was made yet. `none`: an attached program, or one that is not in Python. */
  observer: 'waiting' | 'inside' | 'failed' | 'none'
  /** Why the observer failed; for a Node program, which parts of it are observed. */
  message: string | null
  exitCode: number | null
  signal: string | null
  /** An attached program is read-only until its pids are confirmed (`unhang/confirmAttached`). */
  readOnly: boolean
}

/** A task that runs, or that an ended worker left unfinished. */
export interface TaskSnapshot {
  id: string
  label: string
  state: 'queued' | 'running' | 'done' | 'failed' | 'lost' | 'timedOut' | 'cancelled'
  startedAt: number | null
  elapsedMs: number
  stuck: boolean
  verdict: VerdictSnapshot | null
}

/** A worker process of a pool. */
export interface WorkerSnapshot {
  name: string
  pid: number
  status: 'starting' | 'idle' | 'busy' | 'stopping' | 'exited'
  exitCode: number | null
  signal: string | null
  cpuPercent: number | null
  memoryBytes: number | null
  tasksDone: number
  startedAt: number
  exitedAt: number | null
  /** The task in flight; after an exit, the task that was in flight then. */
  task: TaskSnapshot | null
}

/** Number of tasks by state; `stuck` counts some of `running`. */
export interface CountsSnapshot {
  queued: number
  running: number
  stuck: number
  done: number
  failed: number
  lost: number
  timedOut: number
  cancelled: number
}

/** Distribution of a duration, in milliseconds. */
interface SpreadSnapshot {
  min: number
  mean: number
  p50: number
  p90: number
  p99: number
  max: number
}

/** Durations of a pool's tasks, by function, and how busy its workers were. */
export interface StatsSnapshot {
  /** Share of the workers' time spent in tasks, 0 to 1. */
  utilisation: number
  workersStarted: number
  functions: {
    name: string
    module: string | null
    runs: number
    runMs: SpreadSnapshot | null
    waitMs: SpreadSnapshot | null
  }[]
}

/** A pool without its workers. */
export interface PoolHeader {
  id: string
  name: string
  /**
   * `command`, `module`, `python`; `program` and `attached` are the user's own programs, `watched` is a pool inside
   * one.
   */
  kind: string
  state: 'init' | 'run' | 'close' | 'terminate' | 'ended'
  /** For the kind `watched`: the id of its program. */
  programId: string | null
  program: ProgramSnapshot | null
  /** The gravest first. */
  verdicts: PoolVerdictSnapshot[]
  /** Left behind by a host that died: it can be ended, nothing else. */
  orphaned: boolean
  /** The label in tasks.json it came from, for code lenses. */
  label: string | null
  startedAt: number
  endedAt: number | null
  counts: CountsSnapshot
  /** Estimated time to the end, null while unknown. */
  etaMs: number | null
  /** Why the pool ended as failed (crash loop), else null. */
  failure: string | null
  /** Issues of the last shutdown. */
  issues: string[]
  /** Number of workers that have exited, including those no longer listed. */
  exitedWorkerCount: number
  /** null for a pool that a dead host left behind. */
  stats: StatsSnapshot | null
}

/** A pool with its workers. */
export interface PoolSnapshot extends PoolHeader {
  workers: WorkerSnapshot[]
}

/** Load of the machine, and the share of this workspace's pools in it. */
export interface MachineSnapshot {
  cores: number
  /** 0 to 100 over all cores. */
  cpuPercent: number
  loadAverage: [number, number, number]
  memoryTotalBytes: number
  memoryUsedBytes: number
  /** Sum over the workers of this workspace's pools. */
  poolsCpuPercent: number
  poolsMemoryBytes: number
}

/** All pools at a revision. */
export interface FullSnapshot {
  readonly kind: 'full'
  readonly rev: number
  readonly pools: PoolSnapshot[]
  readonly machine: MachineSnapshot | null
}

/** The changes after `since`: changed headers, changed workers by pool, and what was removed. */
export interface DeltaSnapshot {
  readonly kind: 'delta'
  readonly since: number
  readonly rev: number
  readonly pools: PoolHeader[]
  readonly workers: { poolId: string; workers: WorkerSnapshot[]; removed: string[] }[]
  readonly removedPools: string[]
  readonly machine: MachineSnapshot | null
}

/** The answer to `unhang/snapshot`. */
export type Snapshot = FullSnapshot | DeltaSnapshot
