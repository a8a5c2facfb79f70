import type { PersistentWorker } from './persistentWorker'
import type { Task } from '../tasks/task'

/**
 * How often is looked for a task that others wait behind. One that is there at two looks has run for at least this
 * long.
 */
const lookEveryMs = 4

/**
 * Takes back what was sent ahead to a worker whose task turns out to be long: the others wait behind it, while a free
 * worker could do them. Looks only while something is ahead.
 */
export class SendAheadMonitor {
  readonly #workers: ReadonlySet<PersistentWorker>
  readonly #handBack: (tasks: readonly Task[]) => void

  #timer: NodeJS.Timeout | undefined

  constructor(workers: ReadonlySet<PersistentWorker>, handBack: (tasks: readonly Task[]) => void) {
    this.#workers = workers
    this.#handBack = handBack
  }

  /** Something was sent ahead. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // Answers that are there already are read first: our own event loop may have been busy for long.
      setImmediate(() => {
        this.#look()
      })
    }, lookEveryMs)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    let again = false
    for (const worker of this.#workers) {
      if (worker.load <= 1) {
        worker.lastSeen = null
        continue
      }
      if (worker.lastSeen === worker.task && !worker.hasAnswered) {
        this.#handBack(worker.recall())
        worker.lastSeen = null
        continue
      }
      worker.lastSeen = worker.task
      again = true
    }
    if (again) this.start()
  }
}
