import type { CrashLoopFacts } from '../../diagnosis'
import type { ProcessTable } from '../../processes'
import type { OutputFolder } from '../output/outputFolder'
import type { StreamName } from '../output/outputCapture'
import type { Task } from '../tasks/task'
import type { TaskOutcome, Worker } from './worker'

/** What the workers of a pool need from it, and tell it. */
export interface WorkerSetHooks {
  /** The next task to run, undefined when none waits. */
  nextTask(): Task | undefined
  /** A task that could not be started yet, or was not begun after all, goes back to the front. */
  putBack(task: Task): void
  /** How many tasks wait in the queue. */
  waiting(): number
  workerStarted(worker: Worker): void
  workerChanged(worker: Worker): void
  /** It is no longer one of the workers; `worker.task` went with it. */
  workerGone(worker: Worker): void
  taskStarted(task: Task, worker: Worker): void
  taskEnded(worker: Worker, task: Task, outcome: TaskOutcome): void
  /** The task has no call, because its item cannot be cloned. */
  taskUncallable(task: Task): void
  /** The task could not be given to a worker at all. */
  taskNotStarted(task: Task, error: unknown): void
  output(worker: Worker, taskId: string | null, stream: StreamName, chunk: Buffer): void
  /** A worker that cannot be used any more but still runs. */
  endWorker(worker: Worker, reason: string): void
  /** Starting more workers will not help. */
  failed(facts: Omit<CrashLoopFacts, 'pool'>, cause: unknown): void
}

/** Where the workers of a pool belong. */
export interface WorkerSetContext {
  readonly poolId: string
  readonly folder: OutputFolder
  readonly table: ProcessTable
}

/** The live workers of a pool, and who starts and replaces them. */
export interface WorkerSet {
  readonly workers: ReadonlySet<Worker>
  /** Gives waiting tasks to free workers and starts workers that are missing. Cheap when there is nothing to do. */
  fill(): void
  /** No worker is started any more. */
  stop(): void
  /** Everything is done: the workers may leave. */
  dismiss(): void
  /** How many workers there are to be from now on; workers that are too many leave after their task. */
  resize(processes: number): void
  /** Takes back everything that has not begun. */
  hold(): void
  /**
   * If the task was given to a worker and has not begun, it waits again, and so does everything behind it. Nothing is
   * filled yet.
   */
  takeBack(task: Task): void
  /** Tells a running task that its soft time limit has passed; false when its kind of worker cannot be told. */
  softTimeout(worker: Worker, task: Task): boolean
}

/** PoolWorker-1, PoolWorker-2, …: never reused, so that a name in a log means one process. */
export class WorkerNames {
  #last = 0

  next(): string {
    return `PoolWorker-${++this.#last}`
  }
}
