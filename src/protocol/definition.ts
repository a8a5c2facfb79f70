import * as z from 'zod'
import { longestTimerMs } from './bounds'
import { withoutNul } from './nul'
import { terminationSchema } from './termination'

/**
 * The `"type": "pool"` task of .vscode/tasks.json. The editor shows the descriptions on hover, so they address the
 * author of the task; {@link poolTaskJsonSchema} makes the editor's schema of them.
 */

/** More processes than this on one machine are a typing error: the pid table holds 32768 by default. */
export const mostProcesses = 1024

const durationMs = (least: number) => z.int().min(least).max(longestTimerMs)

const filePattern = z.string().min(1)

/** Where the items of a pool come from. */
export const itemsSchema = z.union([
  z.array(z.unknown()).describe('The items themselves: any JSON values.'),
  z.strictObject({
    glob: z
      .union([filePattern, z.array(filePattern).min(1)])
      .describe(
        'Files that match, sorted, as paths relative to `cwd`: `images/**/*.png`. A list may exclude with `!`.',
      ),
  }),
  z.strictObject({
    lines: filePattern.describe('A text file, relative to `cwd`: one item a line; empty lines are left out.'),
  }),
  z.strictObject({
    json: filePattern.describe('A file, relative to `cwd`, that holds one JSON array: one item an element.'),
  }),
  z.strictObject({
    range: z
      .union([z.tuple([z.number(), z.number()]), z.tuple([z.number(), z.number(), z.number()])])
      .describe(
        "Numbers from `start` up to, not including, `end`, `step` apart (default 1), as in Python's `range`: " +
          '`[0, 100, 10]`.',
      ),
  }),
])
export type PoolItems = z.infer<typeof itemsSchema>

/** Every key of a pool task, with the text the editor shows for it. */
export const poolTaskKeys = {
  command: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .describe(
      'A process per task. A string runs in a shell, an array without one. `${item}` and `${index}` are replaced ' +
        'by the item and its number ' +
        '(in a string they are quoted for the shell). A task is done when its process exits with 0. Exactly one of ' +
        '`command`, `module`, `python` and `program`.',
    ),
  module: z
    .string()
    .min(1)
    .describe(
      'An export of a JavaScript module, relative to `cwd`, that is called with one item at a time in persistent ' +
        'Node processes: ' +
        '`./resize.js#resize`. Without `#name` it is the default export. It may return a promise. Exactly one of ' +
        '`command`, `module`, `python` and `program`.',
    ),
  python: z
    .string()
    .min(1)
    .describe(
      'A function of a Python module, found from `cwd` as `python -m` would, that is called with one item at a ' +
        'time in persistent Python processes (3.8 or later): ' +
        '`package.module:function`. Without `:function` it is the only function of the module. It may be `async`; ' +
        'items and results are JSON. Exactly one of `command`, `module`, `python` and `program`.',
    ),
  pythonPath: withoutNul
    .min(1)
    .describe(
      'Python interpreter of the workers of `python`: a path, relative to `cwd`, or a name in PATH. ' +
        'Default: the setting `unhang.pythonPath`, else that of `.venv` or `venv` in `cwd` or above it in the ' +
        'workspace, else `python3` in PATH.',
    ),
  program: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .describe(
      'A program of your own that makes process pools (`python train.py`), run unchanged and watched: its pools, ' +
        'workers and tasks are shown, and why they hang. ' +
        'A string runs in a shell, an array without one. It has no `items`. Exactly one of `command`, `module`, ' +
        '`python` and `program`.',
    ),
  recordArguments: z
    .boolean()
    .describe(
      'Show the arguments of tasks, and keep them until the task is done so that a lost one can run again. ' +
        'Default true; false where arguments are secrets. (Only for `program`.)',
    ),
  items: itemsSchema.describe(
    'One task for each: an array, or `{ "glob": … }`, `{ "lines": file }`, `{ "json": file }`, `{ "range": ' +
      '[start, end, step] }`.',
  ),
  processes: z
    .int()
    .min(1)
    .max(mostProcesses)
    .describe('How many workers run at a time. Default: as many as the machine has cores.'),
  chunkSize: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe(
      'How many items a worker gets at a time, for many short ones: they are one task, which fails, is lost or ' +
        'runs again as a whole. Default 1. (Only for `module` and `python`.)',
    ),
  maxMemoryPerChildMb: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .describe(
      'A worker that has more resident memory than this after a task is replaced by a fresh one; no task is ' +
        'lost. MiB, default: no limit. (Only for `module` and `python`.)',
    ),
  maxTasksPerChild: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .describe(
      'A worker is replaced by a fresh one after this many tasks. Default: never. (Only for `module` and ' +
        '`python`: a command is a fresh process each time.)',
    ),
  stuckAfterMs: durationMs(1).describe(
    'A task that has run this long is looked at: without CPU time and output since, it is flagged as stuck ' +
      '(`no-progress`), else as `slow`. Milliseconds, default 30000.',
  ),
  timeoutMs: durationMs(1).describe(
    'Hard limit for a task, from the start of its run: its worker is killed and the task has timed out. ' +
      'Milliseconds, default: none.',
  ),
  retries: z
    .int()
    .min(0)
    .max(100)
    .describe(
      'How often a task runs again that was lost because its worker died. Default 0: side effects are never ' +
        'repeated silently.',
    ),
  onStuck: z
    .enum(['flag', 'terminate', 'kill', 'retry'])
    .describe(
      'What happens to a task that is stuck. `flag`: it is shown (default). `terminate`: its worker gets ' +
        'SIGTERM. `kill`: its worker gets SIGKILL. `retry`: SIGKILL, and the task runs once more.',
    ),
  onFailure: z
    .enum(['continue', 'stop'])
    .describe('When a task fails: `continue` with the others (default), or `stop` the pool.'),
  gracePeriodMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .describe('How long each step of a shutdown waits for the workers to end, at most. Milliseconds, default 100.'),
  useSigkill: z
    .boolean()
    .describe('Let Terminate go on to SIGKILL when SIGTERM did not help. Default false: what did not end is reported.'),
  cwd: withoutNul
    .min(1)
    .describe('Working folder of the workers, relative to the workspace folder. Default: the workspace folder.'),
  env: z
    .record(withoutNul, z.union([withoutNul, z.null()]))
    .describe('Environment variables that are added; `null` removes one.'),
  termination: terminationSchema.describe(
    'What happens when the machine is going to be taken away (preemption, maintenance, the end of a job): save, ' +
      'stop, leave with the exit code that gets it started again.',
  ),
} as const
export type PoolTaskKey = keyof typeof poolTaskKeys

/** A definition in which every value has the right shape (see {@link validateDefinition} for the rest). */
export const poolDefinitionSchema = z.object(poolTaskKeys).partial()
export type PoolDefinition = z.infer<typeof poolDefinitionSchema>

/** The keys that name the program of the workers: a definition has exactly one of them. */
export const programKeys = ['command', 'module', 'python', 'program'] as const

/**
 * The contribution `taskDefinitions[0]` of package.json. VS Code draws completion, hover texts and warnings of
 * tasks.json from it; "exactly one of" cannot be said there and is left to the diagnostics.
 */
export function poolTaskJsonSchema(): { type: 'pool'; required: string[]; properties: Record<string, unknown> } {
  const { properties } = z.toJSONSchema(poolDefinitionSchema, { target: 'draft-7', io: 'input' })
  return { type: 'pool', required: [], properties: { ...properties } }
}
