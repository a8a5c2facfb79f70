/**
 * Decides when a worker that ended is replaced, and when to give up. The model is Erlang's restart intensity and
 * systemd's start limit (StartLimitBurst=5), counted in starts instead of seconds: how long a start takes says nothing.
 */
export class CrashLoopBreaker {
  #limit: number
  #processes: number
  #startsInARow = 0
  #fruitlessInARow = 0
  readonly #exits: string[] = []

  constructor(processes: number) {
    // The first wave starts all at once and dies all at once, which is one cause seen often; four more tries, each
    // after a longer wait (1.5 s together), tell a moment's trouble from a broken module.
    this.#processes = processes
    this.#limit = processes + retriesAfterFirstWave
  }

  resize(processes: number): void {
    this.#processes = processes
    this.#limit = processes + retriesAfterFirstWave
  }

  /** Workers that ended before they could take a task, without one that could in between. */
  get startsInARow(): number {
    return this.#startsInARow
  }

  /** How those ended, newest last. */
  get exits(): readonly string[] {
    return this.#exits
  }

  get tripped(): boolean {
    return this.#startsInARow >= this.#limit
  }

  /** While it is not known whether workers can start at all, they are tried one at a time. */
  get probing(): boolean {
    return this.#startsInARow > 0
  }

  /** How long to wait before the next start. */
  get delayMs(): number {
    if (this.#startsInARow > 0) return backOff(Math.max(0, this.#startsInARow - this.#processes))
    // Killed from outside again and again while idle: replaced for ever, as somebody does it on purpose, but not at
    // full speed.
    return this.#fruitlessInARow <= freeReplacements ? 0 : backOff(this.#fruitlessInARow - freeReplacements - 1)
  }

  /** A worker is ready for a task. */
  acked(): void {
    this.#startsInARow = 0
    this.#exits.length = 0
  }

  /** A worker has ended a task. */
  worked(): void {
    this.#fruitlessInARow = 0
  }

  /**
   * A worker ended that was not asked to. `acked`: it had been ready; `fruitful`: it ended a task or had one in flight.
   */
  exited(worker: { acked: boolean; fruitful: boolean; exit: string }): void {
    if (!worker.acked) {
      this.#startsInARow++
      this.#exits.push(worker.exit)
      if (this.#exits.length > keptExits) this.#exits.shift()
    } else if (!worker.fruitful) {
      this.#fruitlessInARow++
    }
  }
}

const retriesAfterFirstWave = 4
/** An operator who kills a few idle workers by hand wants them back at once. */
const freeReplacements = 3
const keptExits = 10

/** 100, 200, 400 … 5000 ms: the first is shorter than a Node start, the last long enough to cost nothing. */
function backOff(step: number): number {
  return Math.min(100 * 2 ** Math.min(step, 10), 5000)
}
