/** Where a process runs, as far as it matters for how it is told to go. */
export const platforms = ['borg', 'borg-tpu', 'gcp-gpu', 'gcp-cpu', 'slurm', 'other'] as const
export type Platform = (typeof platforms)[number]

/** What a platform does before it takes a process away, and what it expects of it. */
export interface TerminationPreset {
  /** How the notice comes: by SIGTERM, or by asking the metadata server of the cloud again and again. */
  readonly watch: 'sigterm' | 'metadata'
  /** The exit code that the platform takes for "start me again". */
  readonly exitCode: number
  /** From the notice to the end, milliseconds; 0 = leave as soon as what matters is saved. */
  readonly gracePeriodMs: number
}

const hourMs = 3_600_000

/**
 * TensorFlow's numbers (`failure_handling.py`, `failure_handling_util.py`): its GcpGpu, GcpCpu, Borg and BorgTPU
 * configurations. It takes every platform that it does not know for Borg, hence 42 for `slurm` and `other`; Slurm
 * requeues by its own rules, whatever the code is. On Borg's TPUs TensorFlow leaves only after its workers are down;
 * here the workers are ended before the process leaves on every platform, so there `borg-tpu` differs from `borg` in
 * its name alone.
 */
export const terminationPresets: Readonly<Record<Platform, TerminationPreset>> = {
  borg: { watch: 'sigterm', exitCode: 42, gracePeriodMs: 0 },
  'borg-tpu': { watch: 'sigterm', exitCode: 42, gracePeriodMs: 0 },
  'gcp-gpu': { watch: 'metadata', exitCode: 143, gracePeriodMs: hourMs },
  'gcp-cpu': { watch: 'metadata', exitCode: 143, gracePeriodMs: 0 },
  slurm: { watch: 'sigterm', exitCode: 42, gracePeriodMs: 0 },
  other: { watch: 'sigterm', exitCode: 42, gracePeriodMs: 0 },
}

/** True for the name of a platform. */
export function isPlatform(value: unknown): value is Platform {
  return platforms.some((platform) => platform === value)
}
