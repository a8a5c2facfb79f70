import type { Worker } from './worker'

/** How much of their time the workers of a pool have spent in tasks. */
export class Utilisation {
  workersStarted = 0
  #busyMs = 0
  #doneMs = 0
  #done = 0
  /** Of workers that are gone. */
  #workerMs = 0
  readonly #startedAt = new Map<Worker, number>()

  get meanTaskMs(): number | null {
    return this.#done === 0 ? null : this.#doneMs / this.#done
  }

  workerStarted(worker: Worker): void {
    this.workersStarted++
    this.#startedAt.set(worker, performance.now())
  }

  workerGone(worker: Worker): void {
    const startedAt = this.#startedAt.get(worker)
    if (startedAt === undefined) return
    this.#startedAt.delete(worker)
    this.#workerMs += performance.now() - startedAt
  }

  /** A run has ended; `well`: its task is done. */
  taskRan(well: boolean, ms: number): void {
    this.#busyMs += ms
    if (!well) return
    this.#done++
    this.#doneMs += ms
  }

  /** 0 to 1; `runningMs`: what the running tasks have taken so far. */
  share(runningMs: readonly number[]): number {
    const now = performance.now()
    let workerMs = this.#workerMs
    for (const startedAt of this.#startedAt.values()) workerMs += now - startedAt
    const busy = runningMs.reduce((sum, ms) => sum + ms, this.#busyMs)
    return workerMs === 0 ? 0 : Math.min(1, busy / workerMs)
  }
}
