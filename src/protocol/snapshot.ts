import * as z from 'zod'

/**
 * Snapshots that the host sends and its clients draw. Times are epoch milliseconds, durations milliseconds, sizes
 * bytes.
 */

export const poolStates = ['init', 'run', 'close', 'terminate', 'ended'] as const
export const workerStatuses = ['starting', 'idle', 'busy', 'stopping', 'exited'] as const
export const taskStates = ['queued', 'running', 'done', 'failed', 'lost', 'timedOut', 'cancelled'] as const

export const verdictSchema = z.object({
  code: z.string(),
  summary: z.string(),
  evidence: z.array(z.object({ what: z.string(), value: z.string() })),
  advice: z.string(),
  confidence: z.enum(['certain', 'likely', 'possible']),
})
export type VerdictSnapshot = z.infer<typeof verdictSchema>

/** What would help, as a thing that a rescue can do (see `unhang/rescue`). */
export const rescueOptionSchema = z.discriminatedUnion('kind', [
  /** Fail this lost task in the program, or (where `retriable`) run it again. */
  z.object({
    kind: z.literal('task'),
    worker: z.string(),
    pid: z.number(),
    task: z.string(),
    label: z.string(),
    retriable: z.boolean(),
  }),
  /** Release a queue lock whose holder is dead. */
  z.object({ kind: z.literal('lock'), lock: z.enum(['tasks', 'results']), worker: z.string(), pid: z.number() }),
  /** Continue a stopped worker. */
  z.object({ kind: z.literal('continue'), worker: z.string(), pid: z.number() }),
])
export type RescueOptionSnapshot = z.infer<typeof rescueOptionSchema>

/** A verdict on a whole pool, or on something in it that is no running task (a lost task, a dead lock holder). */
export const poolVerdictSchema = verdictSchema.extend({
  /** It is not going to go on by itself. False: worth knowing, no more. */
  stuck: z.boolean(),
  /** The worker it is about, null = the pool. */
  worker: z.string().nullable(),
  pid: z.number().nullable(),
  /** Id of the task it is about, as `unhang rescue --task` takes it. */
  task: z.string().nullable(),
  rescue: z.array(rescueOptionSchema),
})
export type PoolVerdictSnapshot = z.infer<typeof poolVerdictSchema>

/** Of a watched or attached program (kinds `program` and `attached`), whose workers are its own processes. */
export const programSchema = z.object({
  /** The command line. */
  argv: z.array(z.string()),
  /** Its main process; null before it has started. */
  pid: z.number().nullable(),
  /** `3.11.7`, null while unknown or when it is no Python. */
  python: z.string().nullable(),
  /** `waiting`: no pool was made yet. `none`: an attached program, or one that is no Python. */
  observer: z.enum(['waiting', 'inside', 'failed', 'none']),
  /** Why the observer failed; of a Node program, what is seen and what is not. */
  message: z.string().nullable(),
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  /** An attached program is only looked at until somebody confirmed its pids (`unhang/confirmAttached`). */
  readOnly: z.boolean(),
})
export type ProgramSnapshot = z.infer<typeof programSchema>

export const taskSchema = z.object({
  id: z.string(),
  label: z.string(),
  state: z.enum(taskStates),
  startedAt: z.number().nullable(),
  elapsedMs: z.number(),
  stuck: z.boolean(),
  verdict: verdictSchema.nullable(),
})
export type TaskSnapshot = z.infer<typeof taskSchema>

export const workerSchema = z.object({
  name: z.string(),
  pid: z.number(),
  status: z.enum(workerStatuses),
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  cpuPercent: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  tasksDone: z.number(),
  startedAt: z.number(),
  exitedAt: z.number().nullable(),
  /** The task in flight; after an exit, the task it took with it. */
  task: taskSchema.nullable(),
})
export type WorkerSnapshot = z.infer<typeof workerSchema>

export const countsSchema = z.object({
  queued: z.number(),
  running: z.number(),
  stuck: z.number(),
  done: z.number(),
  failed: z.number(),
  lost: z.number(),
  timedOut: z.number(),
  cancelled: z.number(),
})
export type CountsSnapshot = z.infer<typeof countsSchema>

const spreadSchema = z.object({
  min: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  max: z.number(),
})

/** What the tasks of a pool took, in milliseconds, by function, and how busy its workers were. */
export const statsSchema = z.object({
  /** Share of the workers' time spent in tasks, 0 to 1. */
  utilisation: z.number(),
  workersStarted: z.number(),
  functions: z.array(
    z.object({
      name: z.string(),
      module: z.string().nullable(),
      runs: z.number(),
      runMs: spreadSchema.nullable(),
      waitMs: spreadSchema.nullable(),
    }),
  ),
})
export type StatsSnapshot = z.infer<typeof statsSchema>

/** Everything of a pool but its workers. */
export const poolHeaderSchema = z.object({
  id: z.string(),
  name: z.string(),
  /**
   * `command`, `module`, `python`; `program` and `attached` are the user's own programs, `watched` is a pool inside
   * one.
   */
  kind: z.string(),
  state: z.enum(poolStates),
  /** Of a pool with kind `watched`: the id of its program. */
  programId: z.string().nullable(),
  program: programSchema.nullable(),
  /** The gravest first. */
  verdicts: z.array(poolVerdictSchema),
  /** Left behind by a host that died: can be ended, nothing else. */
  orphaned: z.boolean(),
  /** The label in tasks.json it came from, for code lenses. */
  label: z.string().nullable(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  counts: countsSchema,
  /** Estimated time to the end, null while unknown. */
  etaMs: z.number().nullable(),
  /** Why the pool ended as failed (crash loop), else null. */
  failure: z.string().nullable(),
  /** Issues of the last shutdown. */
  issues: z.array(z.string()),
  /** All workers that have exited, also those no longer listed. */
  exitedWorkerCount: z.number(),
  /** null of what a dead host left. */
  stats: statsSchema.nullable(),
})
export type PoolHeader = z.infer<typeof poolHeaderSchema>

export const poolSnapshotSchema = poolHeaderSchema.extend({ workers: z.array(workerSchema) })
export type PoolSnapshot = z.infer<typeof poolSnapshotSchema>

export const machineSchema = z.object({
  cores: z.number(),
  /** 0 to 100 over all cores. */
  cpuPercent: z.number(),
  loadAverage: z.tuple([z.number(), z.number(), z.number()]),
  memoryTotalBytes: z.number(),
  memoryUsedBytes: z.number(),
  /** What the workers of this workspace's pools use together. */
  poolsCpuPercent: z.number(),
  poolsMemoryBytes: z.number(),
})
export type MachineSnapshot = z.infer<typeof machineSchema>

/** All pools at a revision. */
export interface FullSnapshot {
  readonly kind: 'full'
  readonly rev: number
  readonly pools: PoolSnapshot[]
  readonly machine: MachineSnapshot | null
}
/** What changed after `since`: changed headers, changed workers by pool, and what is no longer there. */
export interface DeltaSnapshot {
  readonly kind: 'delta'
  readonly since: number
  readonly rev: number
  readonly pools: PoolHeader[]
  readonly workers: { poolId: string; workers: WorkerSnapshot[]; removed: string[] }[]
  readonly removedPools: string[]
  readonly machine: MachineSnapshot | null
}
export type Snapshot = FullSnapshot | DeltaSnapshot
