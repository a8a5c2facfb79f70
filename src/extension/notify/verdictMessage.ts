import * as l10n from '@vscode/l10n'
import { verdictTexts } from '../../words'
import type { StuckPool } from './stuckPools'

/** What a pool waits for in vain, in the verdict's own sentence; others at the same time are counted. */
export function verdictMessage(stuck: readonly StuckPool[], poolName: (poolId: string) => string): string {
  const [first] = stuck
  if (first === undefined) return ''
  const { summary } = verdictTexts(first.verdict)
  const name = poolName(first.poolId)
  // Most verdicts name their pool themselves.
  const text = summary.includes(name) ? summary : l10n.t('{0}: {1}', name, summary)
  if (stuck.length === 1) return text
  return stuck.length === 2 ? l10n.t('{0} (and 1 more)', text) : l10n.t('{0} (and {1} more)', text, stuck.length - 1)
}
