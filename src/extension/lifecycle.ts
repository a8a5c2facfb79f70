/** Anything with an end. The shape is VS Code's, so that its own objects fit, without importing it. */
export interface Disposable {
  dispose(): unknown
}

/** How many stores are open; a test asserts that deactivation brings it back to zero. */
let openStores = 0

/** Number of {@link DisposableStore}s that were created and not yet disposed. */
export function liveDisposableStores(): number {
  return openStores
}

/**
 * Owns disposables and ends them in reverse order. What is added after the end is disposed at once, so that an
 * `await` that comes back late leaves nothing behind (nodejs-testing, `DisposableStore`).
 */
export class DisposableStore implements Disposable {
  readonly #owned: Disposable[] = []
  #disposed = false

  constructor() {
    openStores++
  }

  get disposed(): boolean {
    return this.#disposed
  }

  /** Takes ownership and hands the disposable back. */
  add<T extends Disposable>(disposable: T): T {
    if (this.#disposed) disposable.dispose()
    else this.#owned.push(disposable)
    return disposable
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    openStores--
    while (this.#owned.length > 0) this.#owned.pop()?.dispose()
  }
}

/** Calls a listener on every event until the result is disposed; the same shape as VS Code's `Event`. */
export type Event<T> = (listener: (event: T) => void) => Disposable

/**
 * The source of an {@link Event}. Listeners are called in the order they came; one that throws does not stop the
 * others.
 */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<(event: T) => void>()

  readonly event: Event<T> = (listener) => {
    // Wrapped, so that the same function may listen twice and each subscription ends by itself.
    const own = (event: T): void => {
      listener(event)
    }
    this.#listeners.add(own)
    return { dispose: () => this.#listeners.delete(own) }
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  fire(event: T): void {
    const errors: unknown[] = []
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  dispose(): void {
    this.#listeners.clear()
  }
}

/** A timer as a disposable. */
export function disposableTimeout(callback: () => void, delayMs: number): Disposable {
  const timer = setTimeout(callback, delayMs)
  return {
    dispose: () => {
      clearTimeout(timer)
    },
  }
}

/** A repeating timer as a disposable. */
export function disposableInterval(callback: () => void, intervalMs: number): Disposable {
  const timer = setInterval(callback, intervalMs)
  return {
    dispose: () => {
      clearInterval(timer)
    },
  }
}
