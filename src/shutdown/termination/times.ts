import type { PreemptionLimits } from './budget'

/** At least this much is left to a save that comes late. */
const leastSaveMs = 100

/** The clock of one preemption: it starts at the notice. */
export class Times {
  readonly #noticedMs: number
  readonly #limits: PreemptionLimits

  /** @param graceMs 0: there is none, and only the limits bound what is waited for */
  constructor(
    noticedMs: number,
    readonly graceMs: number,
    limits: PreemptionLimits,
  ) {
    this.#noticedMs = noticedMs
    this.#limits = limits
  }

  /** Since the notice. */
  get elapsedMs(): number {
    return Math.round(performance.now() - this.#noticedMs)
  }

  /** Of the grace period; null where there is none. */
  get leftMs(): number | null {
    return this.graceMs === 0 ? null : this.graceMs - this.elapsedMs
  }

  /**
   * How long a save that starts now may take, as the last one. Leaving takes its time too: a part of what is left is
   * kept for it.
   */
  lastSaveLimitMs(hurried: boolean): number {
    const { leftMs } = this
    if (leftMs === null) return this.#limits.saveMs
    const limitMs = Math.max(leastSaveMs, leftMs - Math.min(leftMs / 2, this.#limits.cutMs))
    return hurried ? Math.min(limitMs, this.#limits.saveMs) : limitMs
  }
}
