import type { PoolHeader, TaskSnapshot, WorkerSnapshot } from '../../protocol'

/** A codicon and a theme colour. The shape alone tells the status; the colour repeats it. */
export interface IconChoice {
  readonly icon: string
  readonly color?: string
}

const stuck: IconChoice = { icon: 'warning', color: 'list.warningForeground' }
const slow: IconChoice = { icon: 'watch', color: 'charts.yellow' }
const failed: IconChoice = { icon: 'error', color: 'list.errorForeground' }

export function poolIcon(pool: PoolHeader): IconChoice {
  if (pool.orphaned && pool.state !== 'ended') return { icon: 'debug-disconnect', color: 'list.warningForeground' }
  if (pool.counts.stuck > 0 && pool.state !== 'ended') return stuck
  switch (pool.state) {
    case 'init': return { icon: 'loading~spin' }
    case 'run':
    case 'close': return { icon: 'server-process', color: 'charts.green' }
    case 'terminate': return { icon: 'debug-stop', color: 'charts.orange' }
    case 'ended': {
      const { counts } = pool
      const bad = pool.failure !== null || counts.failed + counts.lost + counts.timedOut > 0 || pool.issues.length > 0
      if (bad) return failed
      return counts.cancelled + counts.queued > 0 ? { icon: 'circle-slash', color: 'disabledForeground' } : { icon: 'pass', color: 'charts.green' }
    }
  }
}

export function workerIcon(worker: WorkerSnapshot): IconChoice {
  switch (worker.status) {
    case 'starting': return { icon: 'loading~spin' }
    case 'idle': return { icon: 'circle-outline', color: 'disabledForeground' }
    case 'busy':
      if (worker.task?.stuck === true) return stuck
      if (worker.task?.verdict?.code === 'slow') return slow
      return { icon: 'play-circle', color: 'charts.green' }
    case 'stopping': return worker.task?.stuck === true ? stuck : { icon: 'debug-stop', color: 'charts.orange' }
    case 'exited':
      if (worker.signal !== null) return { icon: 'circle-slash', color: 'list.errorForeground' }
      if (worker.exitCode !== 0 && worker.exitCode !== null) return failed
      // `exit 0` says nothing of the task it took along.
      if (worker.task?.state === 'lost') return { icon: 'circle-slash', color: 'list.errorForeground' }
      return { icon: 'pass', color: 'disabledForeground' }
  }
}

export function taskIcon(task: TaskSnapshot): IconChoice {
  if (task.stuck) return stuck
  switch (task.state) {
    case 'queued': return { icon: 'clock', color: 'disabledForeground' }
    case 'running': return task.verdict?.code === 'slow' ? slow : { icon: 'gear' }
    case 'done': return { icon: 'pass', color: 'charts.green' }
    case 'failed': return failed
    case 'lost': return { icon: 'circle-slash', color: 'list.errorForeground' }
    case 'timedOut': return { icon: 'watch', color: 'list.errorForeground' }
    case 'cancelled': return { icon: 'close', color: 'disabledForeground' }
  }
}
