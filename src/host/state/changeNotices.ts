/**
 * Four notices a second at most (the figure: a person sees no more, and a window stays idle). A little over a
 * quarter of a second, as a timer may fire a millisecond early.
 */
export const noticeIntervalMs = 255

/**
 * Tells that something changed: at once after a silence, then as often as {@link noticeIntervalMs} allows, and never
 * loses the last change.
 */
export class ChangeNotices {
  readonly #notify: () => void
  readonly #intervalMs: number

  #last = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(notify: () => void, intervalMs: number = noticeIntervalMs) {
    this.#notify = notify
    this.#intervalMs = intervalMs
  }

  /** Something changed. */
  changed(): void {
    if (this.#timer) return
    const wait = this.#last + this.#intervalMs - performance.now()
    // Even the first one waits for the end of this turn, so that changes that belong together are one notice.
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#last = performance.now()
        this.#notify()
      },
      Math.max(0, wait),
    )
  }

  dispose(): void {
    clearTimeout(this.#timer)
  }
}
