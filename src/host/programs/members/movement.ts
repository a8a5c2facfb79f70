/**
 * CPU time that is no progress: a process that only waits still wakes up for its timers. As in the engine's watch over
 * its own tasks: half a percent of a core, and never less than two ticks of the kernel's clock (10 ms each).
 */
const idleCpuShare = 0.005
const idleCpuLeastMs = 20

/**
 * Nobody knows what happened between two looks that are further apart: the machine was asleep, or so busy that we did
 * not get to it, and then neither did the others. While somebody waits for a pool there is a look every second.
 */
const longestGapMs = 2000

/**
 * Whether something moves, as seen from look to look: CPU time, or a sign of life that the caller counts. Milliseconds.
 */
export class Movement {
  #firstAt: number | undefined
  #movedAt = 0
  #lastAt = 0
  #sign: number | string | undefined
  #cpuAtFirst = 0
  #cpuAtMove = 0
  #cpu = 0

  /**
   * @param sign Anything that changes with progress, like a counter of tasks: a change of it starts the observation
   * anew.
   */
  observe(now: number, cpuMs: number, sign: number | string): void {
    const missedMs = Math.max(0, now - this.#lastAt - longestGapMs)
    this.#lastAt = now
    if (this.#firstAt === undefined || this.#sign !== sign) {
      this.#firstAt = this.#movedAt = now
      this.#cpuAtFirst = this.#cpuAtMove = this.#cpu = cpuMs
      this.#sign = sign
      return
    }
    this.#firstAt += missedMs
    this.#movedAt += missedMs
    // What was below it and has ended takes its time along.
    this.#cpu = Math.max(this.#cpu, cpuMs)
    if (this.#cpu - this.#cpuAtMove <= Math.max(idleCpuLeastMs, (now - this.#movedAt) * idleCpuShare)) return
    this.#movedAt = now
    this.#cpuAtMove = this.#cpu
  }

  watchedMs(now: number): number {
    return this.#firstAt === undefined ? 0 : now - this.#firstAt
  }

  quietMs(now: number): number {
    return this.#firstAt === undefined ? 0 : Math.min(now, this.#lastAt + longestGapMs) - this.#movedAt
  }

  /** It has used CPU time since the first look. */
  get hasMoved(): boolean {
    return this.#firstAt !== undefined && this.#movedAt > this.#firstAt
  }

  get cpuMs(): number {
    return this.#cpu - this.#cpuAtFirst
  }
}
