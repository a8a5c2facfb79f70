import * as l10n from '@vscode/l10n'
import { verdictTexts } from '../../words'
import type { PlacedWorker } from '../model/poolCatalog'

/** Tasks named in full before the rest is only counted. */
const mostNamed = 3

/** `Pool “Crawl”: fetch(a) is stuck (PoolWorker-2, pid 4711): …`, or several as one message. */
export function stuckMessage(stuck: readonly PlacedWorker[]): string {
  const [first] = stuck
  if (first === undefined) return ''
  if (stuck.length === 1) {
    const { pool, worker } = first
    const verdict = worker.task?.verdict
    const summary = verdict ? verdictTexts(verdict).summary : undefined
    // Most verdicts begin with the task themselves.
    if (worker.task !== null && summary?.includes(worker.task.label) === true) {
      return l10n.t('Pool “{0}”, {1} (pid {2}): {3}', pool.header.name, worker.name, worker.pid, summary)
    }
    const where = l10n.t(
      'Pool “{0}”: {1} is stuck in {2} (pid {3}).',
      pool.header.name,
      worker.task?.label ?? '',
      worker.name,
      worker.pid,
    )
    return summary === undefined ? where : `${where} ${summary}`
  }
  const pools = [...new Set(stuck.map(({ pool }) => pool.header.name))]
  const labels = stuck.slice(0, mostNamed).map(({ worker }) => worker.task?.label ?? worker.name)
  const named =
    stuck.length > mostNamed
      ? l10n.t('{0} and {1} more', labels.join(', '), stuck.length - mostNamed)
      : labels.join(', ')
  return pools.length === 1
    ? l10n.t('Pool “{0}”: {1} tasks are stuck: {2}.', pools[0] ?? '', stuck.length, named)
    : l10n.t('{0} tasks are stuck in {1} pools: {2}.', stuck.length, pools.length, named)
}
