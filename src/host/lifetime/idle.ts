/**
 * How long a host without clients and running pools stays. Long enough for a window to reload, or for the next command
 * in a terminal, to find it warm; short enough that no idle process surprises its user.
 */
const defaultIdleMs = 30_000

/** The time in UNHANG_IDLE_MS (tests), else 30 s. */
export function idleMsOf(env: NodeJS.ProcessEnv): number {
  const chosen = Number(env.UNHANG_IDLE_MS)
  return env.UNHANG_IDLE_MS !== undefined && Number.isFinite(chosen) && chosen >= 0 ? chosen : defaultIdleMs
}

/** Ends the host when it has not been needed for some time. */
export class IdleTimer {
  readonly #idleMs: number
  readonly #isNeeded: () => boolean
  readonly #end: () => void
  readonly #looked: (isNeeded: boolean) => void

  #timer: NodeJS.Timeout | undefined

  /** @param looked Called at each check with whether the host is needed. */
  constructor(
    idleMs: number,
    isNeeded: () => boolean,
    end: () => void,
    looked: (isNeeded: boolean) => void = () => undefined,
  ) {
    this.#idleMs = idleMs
    this.#isNeeded = isNeeded
    this.#end = end
    this.#looked = looked
  }

  /** To be called when a client connects or disconnects, and when a pool starts or ends. */
  check(): void {
    const isNeeded = this.#isNeeded()
    this.#looked(isNeeded)
    if (isNeeded) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (!this.#isNeeded()) this.#end()
    }, this.#idleMs)
  }

  dispose(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
