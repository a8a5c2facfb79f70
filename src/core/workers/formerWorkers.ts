import type { ProcessIdentity } from '../../processes'
import type { FormerWorker } from '../../shutdown'
import type { Worker } from './worker'

/**
 * A command pool has a worker for each item: the last of them are enough to look behind, and bound what a million cost.
 */
const keptWorkers = 1000

/** Workers of a pool that have exited: what they left running belongs to the pool until it ends by itself. */
export class FormerWorkers {
  #known: {
    readonly name: string
    readonly marker: string
    readonly identity: Promise<ProcessIdentity | undefined>
  }[] = []

  add(worker: Worker): void {
    const { name, marker } = worker
    // Not the worker itself, which holds the output of its task. Whom the system could not tell us nobody can be found
    // by.
    this.#known.push({ name, marker, identity: worker.identity().catch(() => undefined) })
    if (this.#known.length > keptWorkers) this.#known.shift()
  }

  /** What they left may stay: a task may start a daemon on purpose. */
  forget(): void {
    this.#known = []
  }

  async list(): Promise<FormerWorker[]> {
    const all = await Promise.all(
      this.#known.map(async ({ name, marker, identity }) => ({ name, marker, identity: await identity })),
    )
    return all.flatMap(({ name, marker, identity }) => (identity === undefined ? [] : [{ name, marker, identity }]))
  }
}
