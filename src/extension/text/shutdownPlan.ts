import * as l10n from '@vscode/l10n'
import type { ShutdownPlanWire } from '../../protocol'
import { plainLine } from '../../words'

/** A question that is longer than the screen hides its buttons. */
const mostLines = 15

/**
 * What would be signalled, in which order, and how each process will answer: a line each, for the question before it is
 * done.
 */
export function planText(plans: readonly ShutdownPlanWire[]): string {
  const processes = plans.flatMap((plan) => plan.processes)
  const lines = processes
    .slice(0, mostLines)
    .map(({ step, name, pid, answer }) =>
      l10n.t('{0}. {1}, pid {2}: {3}', step, plainLine(name), pid, plainLine(answer)),
    )
  const more = processes.length - lines.length
  if (more > 0) lines.push(l10n.t('… and {0} more', more))
  const consequences = new Set(
    plans.flatMap(({ consequence }) => (consequence === undefined ? [] : [plainLine(consequence)])),
  )
  lines.push(...consequences)
  return lines.length === 0
    ? ''
    : `${l10n.t('In this order, each step once the one above it has ended:')}\n${lines.join('\n')}`
}
