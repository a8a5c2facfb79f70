import type { ShutdownPlanWire } from '../../protocol'
import { alignColumns, plainLine } from '../../words'
import { plural } from '../words/plural'

/**
 * A plan as lines: a heading, and a row for each process in the order of the signals, with what is known of its answer.
 */
export function planLines(plan: ShutdownPlanWire, description: string): string[] {
  const count = plan.processes.filter(({ signals }) => signals.length > 0).length
  const consequence = plan.consequence === undefined ? [] : [plainLine(plan.consequence)]
  if (count === 0) return [`${description}: no process to signal`]
  const rows = plan.processes.map(({ step, pid, name, command, signals, asked, after, answer }) => [
    `${step}.`,
    String(pid),
    plainLine(name),
    plainLine(command),
    [...(asked ? ['ask'] : []), ...signals].join(', ') || '–',
    `${after === null ? '' : `after ${plainLine(after.name)}: `}${plainLine(answer)}`,
  ])
  return [
    `${description}: ${plural(count, 'process', 'processes')}, in this order, each step once the one ` +
      'above it has ended',
    ...alignColumns(rows, { indent: '  ', right: [0, 1] }),
    ...consequence,
  ]
}
