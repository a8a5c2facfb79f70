import * as z from 'zod'
import { longestTimerMs } from './bounds'
import { withoutNul } from './nul'

/** Platforms whose way of ending a process is known; the engine's own list (a unit test keeps them equal). */
export const terminationPlatforms = ['borg', 'borg-tpu', 'gcp-gpu', 'gcp-cpu', 'slurm', 'other'] as const

/** The `termination` of a pool task: what happens when the machine is going to be taken away. */
export const terminationSchema = z
  .strictObject({
    platform: z
      .enum(terminationPlatforms)
      .describe(
        'Where this runs; the defaults of the other keys come from it. `borg`, `borg-tpu`, `slurm`, `other`: the ' +
          'notice is SIGTERM, exit code 42, no grace period. ' +
          '`gcp-gpu`: the notice comes from the metadata server, exit code 143, one hour. `gcp-cpu`: the same ' +
          'without a grace period. Default: detected.',
      ),
    watch: z
      .enum(['sigterm', 'metadata'])
      .describe(
        'How the notice comes. `sigterm`: by SIGTERM to the host. `metadata`: from the metadata server of ' +
          "Google's cloud, asked every second; SIGTERM then means that there is no time left.",
      ),
    gracePeriodMs: z
      .int()
      .min(0)
      .max(longestTimerMs)
      .describe(
        'From the notice to the end. `0`: running tasks have 5 seconds to end, then `save` runs, then the host ' +
          'leaves. More: `save` runs at once, the pool goes on, and ' +
          'before the time is over it stops, `save` runs again, and the host leaves. Several times what `save` ' +
          'takes, or 0. Milliseconds.',
      ),
    save: z
      .union([withoutNul.min(1), z.array(withoutNul).min(1)])
      .describe(
        'A command line that saves what must not be lost, run in `cwd` with `env`. A string runs in a shell, an ' +
          'array without one. `UNHANG_OCCASION` is `notice` or `final`.',
      ),
    exitCode: z
      .int()
      .min(0)
      .max(255)
      .describe(
        'Exit code of the host, for whoever starts it again. Default: the code that the platform takes for that.',
      ),
  })
  .partial()
export type TerminationDefinition = z.infer<typeof terminationSchema>
