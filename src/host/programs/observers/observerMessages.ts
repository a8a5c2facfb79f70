import * as z from 'zod'

/**
 * What observers say on the control channel (src/runtimes/observer/README.md): checked, as it comes from the user's own
 * process.
 */

const count = z.number().int().min(0)

export const helloSchema = z.object({
  version: z.literal(1),
  token: z.string().max(256),
  pid: z.number().int().min(2),
  startTicks: count,
  parentPid: count,
  python: z.string().max(100),
  argv: z.array(z.string()).max(10_000),
  /** A file name in the session folder, never a path; null of an observer that failed before it had one. */
  recorder: z
    .string()
    .regex(/^\d+-\d+\.rec$/)
    .nullable(),
})
export type Hello = z.infer<typeof helloSchema>

export const eventSchema = z.object({ event: z.enum(['changed', 'failed']), message: z.string().optional() })

export const answerSchema = z.object({
  id: z.number().int(),
  result: z.unknown().optional(),
  error: z.string().optional(),
})

const alive = z.boolean().nullable()
const lock = z.enum(['free', 'taken']).nullable()

export const observedPoolSchema = z.object({
  key: z.number().int().min(1),
  library: z.enum(['multiprocessing', 'concurrent.futures', 'billiard', 'loky']),
  name: z.string().max(1000),
  file: z.string(),
  line: count,
  startMethod: z.string().nullable(),
  processes: count.nullable(),
  madeAt: z.number(),
  state: z.enum(['init', 'run', 'close', 'terminate', 'broken', 'ended']),
  threads: z.object({ workers: alive, tasks: alive, results: alive }),
  queued: count.nullable(),
  taskPipeBytes: count.nullable(),
  resultPipeBytes: count.nullable(),
  locks: z.object({ tasks: lock, results: lock }),
  jobs: z.array(
    z.object({
      job: z.number().int(),
      call: z.string(),
      function: z.string(),
      total: z.number().int().nullable(),
      left: z.number().int().nullable(),
      chunkSize: z.number().int(),
    }),
  ),
  callback: z
    .object({
      job: z.number().int().nullable(),
      file: z.string(),
      line: count,
      function: z.string(),
      call: z.string().nullable(),
      own: z.boolean(),
      cpu: z.number().nonnegative().nullable(),
    })
    .nullable(),
  pids: z.array(z.number().int()),
})
export type ObservedPool = z.infer<typeof observedPoolSchema>

export const observedSchema = z.object({
  time: z.number(),
  ownCpu: z.number().nonnegative(),
  threads: z.array(z.object({ id: z.number(), name: z.string(), daemon: z.boolean() })),
  waitsIn: z
    .object({
      file: z.string(),
      line: count,
      function: z.string(),
      call: z.string().nullable(),
      process: count.nullable(),
      threads: z.boolean(),
    })
    .nullable(),
  ownSigint: z.boolean(),
  pools: z.array(observedPoolSchema),
  tasks: z.record(
    z.string(),
    z.object({
      counter: count,
      function: z.string(),
      label: z.string(),
      first: z.number().int().nullable(),
      items: z.number().int(),
    }),
  ),
  helpers: z.object({
    resourceTracker: z.number().int().nullable(),
    forkServer: z.number().int().nullable(),
    lokyTracker: z.number().int().nullable(),
  }),
})
/** One parent's pools as its observer sees them. */
export type Observed = z.infer<typeof observedSchema>

export const observedStacksSchema = z.object({
  threads: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      daemon: z.boolean(),
      frames: z.array(z.object({ file: z.string(), line: z.number().int(), function: z.string(), code: z.string() })),
    }),
  ),
})

export const rescueAnswerSchema = z.object({ done: z.boolean(), why: z.string() })
