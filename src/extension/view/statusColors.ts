import type { PoolVerdictSnapshot, TaskSnapshot, WorkerSnapshot } from '../../protocol'

/** How loud a row is. */
export type Tone = 'normal' | 'stuck' | 'slow' | 'bad' | 'quiet'

/**
 * An exit by a signal, with a code or with a task is bad news; an idle or finished worker is none, nor is one that had
 * nothing to do and was told to go.
 */
export function workerTone(worker: WorkerSnapshot, verdict?: PoolVerdictSnapshot): Tone {
  if (worker.status === 'exited') {
    if (worker.signal === 'SIGTERM' && worker.task === null) return 'quiet'
    return worker.signal !== null || (worker.exitCode ?? 0) !== 0 || worker.task?.state === 'lost' ? 'bad' : 'quiet'
  }
  if (verdict?.stuck === true) return 'stuck'
  return worker.task === null ? 'quiet' : taskTone(worker.task)
}

/** A stuck task is loud, whatever else it is. */
export function taskTone(task: TaskSnapshot): Tone {
  if (task.stuck) return 'stuck'
  switch (task.state) {
    case 'running':
      return task.verdict?.code === 'slow' ? 'slow' : 'normal'
    case 'failed':
    case 'lost':
    case 'timedOut':
      return 'bad'
    case 'queued':
    case 'done':
    case 'cancelled':
      return 'normal'
  }
}
