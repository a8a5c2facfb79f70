import { beatMs } from './shared'

/** An event loop that is blocked for this long keeps users waiting. */
export const standsAfterMs = 2000
/**
 * The most that one check counts for: after a stopped process or a sleeping machine continues, hours seem to have
 * passed.
 */
const mostPerLookMs = 2 * beatMs

/** Decides from the beats, read every half second, whether the event loop is blocked. */
export class Standing {
  #beat: number

  #seenMs = 0
  #told = false

  constructor(beat: number) {
    this.#beat = beat
  }

  /** @returns `stands` once for each blockage, `goes-on` once at its end with its length, else undefined. */
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

  /** Forgets the last beats, after a time without checks. */
  forget(beat: number): void {
    this.#beat = beat
    this.#seenMs = 0
    this.#told = false
  }
}
