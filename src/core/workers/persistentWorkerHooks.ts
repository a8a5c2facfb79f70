import type { Task } from '../tasks/task'
import type { Worker, WorkerHooks } from './worker'

/** What a persistent worker reports to the workers of its pool. */
export interface PersistentWorkerHooks<W extends Worker> extends WorkerHooks {
  /** The module is loaded and set up: the first ack. */
  ready(worker: W): void
  /** A task that was sent ahead has begun. */
  taskBegan(worker: W, task: Task): void
  /** Answers have been delivered, a recall has been noticed: perhaps it can take more. */
  hungry(worker: W): void
  /** Sent ahead, never begun, in order: other workers may take them. */
  handedBack(tasks: readonly Task[]): void
  /** The channel closed, or carried something else than frames, although the process lives: it cannot be used. */
  broken(worker: W, reason: string): void
  startFailed(worker: W, error: Error): void
}
