import type { Pool } from '../../core'
import type { PreemptiblePool } from '../../shutdown'
import type { LivePool } from '../pools/livePool'

/**
 * A pool of this host as the preemption handler sees it. One whose engine cannot hold its tasks back is ended when it should
 * start no more of them: then running tasks get no time to end, but nothing new is begun.
 */
export function preemptible(hosted: LivePool): PreemptiblePool {
  const pool: Pool & Partial<Pick<PreemptiblePool, 'hold'>> = hosted.pool
  return {
    id: pool.id,
    name: pool.name,
    get state() { return pool.state },
    get meanTaskMs() { return hosted.meanTaskMs },
    hold: () => {
      if (pool.hold) pool.hold()
      else void pool.shutdown({ kill: false, useSigkill: true, askedBy: 'preemption', reason: 'the process is going to be taken away' })
    },
    runningTasks: () => pool.runningTasks(),
    shutdown: (order) => pool.shutdown(order),
  }
}
