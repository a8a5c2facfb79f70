import { disposableTimeout, type Disposable } from '../lifecycle'

/** Collects what happens within a moment and hands it on as one. */
export class Burst<T> implements Disposable {
  readonly #waitMs: number
  readonly #flush: (items: readonly T[]) => void
  #items: T[] = []
  #timer: Disposable | undefined

  constructor(waitMs: number, flush: (items: readonly T[]) => void) {
    this.#waitMs = waitMs
    this.#flush = flush
  }

  add(item: T): void {
    this.#items.push(item)
    this.#timer ??= disposableTimeout(() => {
      this.#timer = undefined
      const items = this.#items
      this.#items = []
      this.#flush(items)
    }, this.#waitMs)
  }

  dispose(): void {
    this.#timer?.dispose()
    this.#timer = undefined
    this.#items = []
  }
}
