import type { PlacedWorker } from '../model/poolCatalog'
import { NewsMemory } from './newsMemory'

/** A task that is stuck, with where it is. */
export interface StuckTask {
  readonly placed: PlacedWorker
  readonly taskId: string
}

/** Each stuck task is announced once. */
export function stuckTaskMemory(): NewsMemory<StuckTask> {
  return new NewsMemory(
    ({ placed }) => placed.pool.header.id,
    ({ placed, taskId }) => `${placed.pool.header.id} ${taskId}`,
  )
}

/**
 * The tasks that these workers are stuck in. What a dead host left behind is told as such; nobody knows when its tasks
 * got stuck.
 */
export function stuckTasks(workers: readonly PlacedWorker[]): StuckTask[] {
  return workers.flatMap((placed) =>
    placed.worker.task === null || placed.pool.header.orphaned ? [] : [{ placed, taskId: placed.worker.task.id }],
  )
}
