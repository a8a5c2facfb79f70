import { steadyMs } from '../context/steadyTime'

/** After news there is more to see for a while: rules that wait for a second or two come true. */
const afterNewsMs = [0, 250, 600, 1200, 2200, 3500]
/** News come in bursts: sixty workers start at once. */
const gatherMs = 25
/**
 * Looks take at most an eighth of the time, however fast news come in: a pool may replace its workers after every task.
 */
const restFactor = 8
const shortestRestMs = 100
const longestRestMs = 2000
/** While something is waited for, and while nothing is. */
const busyMs = 1000
const idleMs = 5000

/**
 * When a program is looked at: at once after news, for some seconds after that, and then now and then. Never twice at
 * the same time.
 */
export class LookSchedule {
  readonly #look: () => Promise<{ readonly busy: boolean }>
  readonly #onError: (error: unknown) => void

  #timer: NodeJS.Timeout | undefined
  #nextAt = Infinity
  #looking: Promise<void> | undefined
  #again: Promise<void> | undefined
  #newsAt = 0
  #step = afterNewsMs.length
  #running = false
  #busy = true
  #restUntil = 0

  constructor(look: () => Promise<{ readonly busy: boolean }>, onError: (error: unknown) => void) {
    this.#look = look
    this.#onError = onError
  }

  start(): void {
    this.#running = true
    this.hurry()
  }

  /** Something happened. */
  hurry(): void {
    if (!this.#running) return
    this.#newsAt = steadyMs()
    this.#step = 0
    this.#schedule(gatherMs)
  }

  /** A look that begins now, or right after the one that is under way. */
  now(): Promise<void> {
    if (this.#looking === undefined) return this.#run()
    this.#again ??= this.#looking.then(() => {
      this.#again = undefined
      return this.#run()
    })
    return this.#again
  }

  /** No look after this; one that is under way is waited for. */
  async stop(): Promise<void> {
    this.#running = false
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer)
    this.#nextAt = Infinity
    const begun = steadyMs()
    this.#looking = (async () => {
      try {
        this.#busy = (await this.#look()).busy
      } catch (error) {
        this.#onError(error)
      }
    })()
    await this.#looking
    this.#looking = undefined
    const now = steadyMs()
    this.#restUntil = now + Math.min(longestRestMs, Math.max(shortestRestMs, (now - begun) * restFactor))
    if (this.#running) this.#scheduleNext()
  }

  #scheduleNext(): void {
    const since = steadyMs() - this.#newsAt
    while (this.#step < afterNewsMs.length && (afterNewsMs[this.#step] ?? 0) <= since) this.#step += 1
    const next = afterNewsMs[this.#step]
    this.#schedule(next === undefined ? (this.#busy ? busyMs : idleMs) : next - since)
  }

  #schedule(delayMs: number): void {
    if (this.#looking !== undefined) return
    const at = Math.max(steadyMs() + delayMs, this.#restUntil)
    if (at >= this.#nextAt) return
    clearTimeout(this.#timer)
    this.#nextAt = at
    this.#timer = setTimeout(() => {
      void this.now()
    }, at - steadyMs())
    this.#timer.unref()
  }
}
