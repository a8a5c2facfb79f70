import { bounded } from './bounded'
import type { PreemptionLimits } from './budget'
import type { PreemptionEvent } from './events'
import type { PreemptiblePool } from './preemptiblePool'

/** Ends pools through the shutdown core, SIGKILL included, all at once and in bounded time; what is left is told. */
export async function endPools(
  pools: readonly PreemptiblePool[],
  reason: string,
  { cutGracePeriodMs: gracePeriodMs, cutMs }: PreemptionLimits,
  tell: (event: PreemptionEvent) => void,
): Promise<void> {
  const issues = await Promise.all(
    pools
      .filter(({ state }) => state !== 'ended')
      .map(async (pool) => {
        const result = await bounded(
          () => pool.shutdown({ kill: false, useSigkill: true, gracePeriodMs, askedBy: 'preemption', reason }),
          cutMs,
        )
        if (result.kind === 'done') return result.value.issues
        tell({
          kind: 'problem',
          what: `${pool.name} was not ended`,
          error: result.kind === 'failed' ? result.error : new Error(`not done after ${result.elapsedMs} ms`),
        })
        return []
      }),
  )
  if (issues.flat().length > 0) tell({ kind: 'issues', issues: issues.flat() })
}
