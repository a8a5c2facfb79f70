import {
  type PoolHeader,
  type PoolVerdictSnapshot,
  type ProgramSnapshot,
  type TaskSnapshot,
  type WorkerSnapshot,
  isStuck,
} from '../../protocol'

/** A codicon and a theme colour. The shape alone tells the status; the colour repeats it. */
export interface IconChoice {
  readonly icon: string
  readonly color?: string
}

const stuck: IconChoice = { icon: 'warning', color: 'list.warningForeground' }
const slow: IconChoice = { icon: 'watch', color: 'charts.yellow' }
const failed: IconChoice = { icon: 'error', color: 'list.errorForeground' }

/** @param stuckInside Something is stuck in a pool of it, if it is a program. */
export function poolIcon(pool: PoolHeader, stuckInside = false): IconChoice {
  if (pool.orphaned && pool.state !== 'ended') return { icon: 'debug-disconnect', color: 'list.warningForeground' }
  if ((isStuck(pool) || stuckInside) && pool.state !== 'ended') return stuck
  if (pool.program !== null) return programIcon(pool, pool.program)
  switch (pool.state) {
    case 'init':
      return { icon: 'loading~spin' }
    case 'run':
    case 'close':
      return { icon: 'server-process', color: 'charts.green' }
    case 'terminate':
      return { icon: 'debug-stop', color: 'charts.orange' }
    case 'ended': {
      const { counts } = pool
      const bad = pool.failure !== null || counts.failed + counts.lost + counts.timedOut > 0 || pool.issues.length > 0
      if (bad) return failed
      return counts.cancelled + counts.queued > 0
        ? { icon: 'circle-slash', color: 'disabledForeground' }
        : { icon: 'pass', color: 'charts.green' }
    }
  }
}

/** A program of the user's own; how it left is all that counts in the end. */
function programIcon({ state, failure, issues }: PoolHeader, program: ProgramSnapshot): IconChoice {
  switch (state) {
    case 'init':
      return { icon: 'loading~spin' }
    case 'run':
    case 'close':
      return program.readOnly ? { icon: 'eye', color: 'charts.blue' } : { icon: 'terminal', color: 'charts.green' }
    case 'terminate':
      return { icon: 'debug-stop', color: 'charts.orange' }
    case 'ended':
      if (program.signal !== null) return { icon: 'circle-slash', color: 'list.errorForeground' }
      return failure !== null || (program.exitCode ?? 0) !== 0 || issues.length > 0
        ? failed
        : { icon: 'pass', color: 'charts.green' }
  }
}

/** @param verdict Of its pool, on this worker. */
export function workerIcon(worker: WorkerSnapshot, verdict?: PoolVerdictSnapshot): IconChoice {
  if (verdict?.stuck === true && worker.status !== 'exited') return stuck
  switch (worker.status) {
    case 'starting':
      return { icon: 'loading~spin' }
    case 'idle':
      return { icon: 'circle-outline', color: 'disabledForeground' }
    case 'busy':
      if (worker.task?.stuck === true) return stuck
      if (worker.task?.verdict?.code === 'slow') return slow
      return { icon: 'play-circle', color: 'charts.green' }
    case 'stopping':
      return worker.task?.stuck === true ? stuck : { icon: 'debug-stop', color: 'charts.orange' }
    case 'exited':
      // That is how a pool ends workers that have nothing to do.
      if (worker.signal === 'SIGTERM' && worker.task === null)
        return { icon: 'circle-slash', color: 'disabledForeground' }
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
    case 'queued':
      return { icon: 'clock', color: 'disabledForeground' }
    case 'running':
      return task.verdict?.code === 'slow' ? slow : { icon: 'gear' }
    case 'done':
      return { icon: 'pass', color: 'charts.green' }
    case 'failed':
      return failed
    case 'lost':
      return { icon: 'circle-slash', color: 'list.errorForeground' }
    case 'timedOut':
      return { icon: 'watch', color: 'list.errorForeground' }
    case 'cancelled':
      return { icon: 'close', color: 'disabledForeground' }
  }
}
