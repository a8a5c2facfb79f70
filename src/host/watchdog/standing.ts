import { beatMs } from './shared'

/** A loop that stands for this long is one that people wait for. */
export const standsAfterMs = 2000
/**
 * The most that one look counts for: a process that was stopped, or a machine that slept, looks as if nothing had
 * happened for hours.
 */
const mostPerLookMs = 2 * beatMs

/** Tells from the beats, seen every half second, whether the loop stands. */
export class Standing {
  #beat: number

  #seenMs = 0
  #told = false

  constructor(beat: number) {
    this.#beat = beat
  }

  /**
   * @returns `stands` once for each time, `goes-on` once after that with how long it was seen to stand, else undefined.
   */
  look(beat: number, sinceLastMs: number): { readonly kind: 'stands' | 'goes-on'; readonly forMs: number } | undefined {
    if (beat !== this.#beat) {
      const stood = this.#told ? { kind: 'goes-on' as const, forMs: this.#seenMs + sinceLastMs } : undefined
      this.forget(beat)
      return stood
    }
    this.#seenMs += Math.min(sinceLastMs, mostPerLookMs)
    if (this.#told || this.#seenMs < standsAfterMs) return undefined
    this.#told = true
    return { kind: 'stands', forMs: this.#seenMs }
  }

  /** Nobody watched meanwhile. */
  forget(beat: number): void {
    this.#beat = beat
    this.#seenMs = 0
    this.#told = false
  }
}
