/** Upper bounds of what a preemption waits for, milliseconds. */
export interface PreemptionLimits {
  /** Without a grace period: how long running tasks may go on after the notice. */
  readonly wrapUpMs: number
  /** Without a grace period: how long the save may take. */
  readonly saveMs: number
  /**
   * Each pass of the shutdown that cuts what still runs: long enough for a worker to catch SIGTERM and close a file.
   */
  readonly cutGracePeriodMs: number
  /** How long all passes of it may take together, on a busy machine too. */
  readonly cutMs: number
  /** How long an `exit` of one's own may take. */
  readonly exitMs: number
}

/**
 * Without a grace period platforms leave 30 s between SIGTERM and SIGKILL (Kubernetes, Slurm's KillWait, Compute
 * Engine's spot machines), and a `docker stop` 10 s. Everything together stays below 30 s however much of it hangs;
 * with one hung task and a quick save it is below 10 s.
 */
export const defaultLimits: PreemptionLimits = {
  wrapUpMs: 5000,
  saveMs: 10_000,
  cutGracePeriodMs: 200,
  cutMs: 3000,
  exitMs: 3000,
}

/**
 * Of a grace period, the part that a save at its begin may take: a period should be several times a save (TensorFlow:
 * three).
 */
export const firstSaveShare = 1 / 3

/** A save may take twice as long as the one before. */
const saveMargin = 2

/** TensorFlow goes on until 3 × 2 mean steps before the end. */
const meanTasksLeft = 6

/** How the grace period is divided; all times count from the notice. */
export interface GracePlan {
  /** From here on no task is started. */
  readonly stopAtMs: number
  /** What still runs here is ended. */
  readonly cutAtMs: number
}

/**
 * TensorFlow's rule: work until `grace − 6 × mean task time`, then save and leave. But no mean time bounds a task that
 * hangs, and TensorFlow keeps nothing back for the save itself: so there is a second line, after which running tasks
 * are cut, with room for the cut and for a save twice as long as the first one; of a short period it is half.
 */
export function planGrace(
  gracePeriodMs: number,
  meanTaskMs: number | null,
  firstSaveMs: number,
  limits: PreemptionLimits,
): GracePlan {
  const reserveMs = Math.min(gracePeriodMs / 2, saveMargin * firstSaveMs + limits.cutMs)
  const cutAtMs = gracePeriodMs - reserveMs
  const stopAtMs = gracePeriodMs - meanTasksLeft * (meanTaskMs ?? 0)
  return { stopAtMs: Math.max(0, Math.min(stopAtMs, cutAtMs)), cutAtMs }
}
