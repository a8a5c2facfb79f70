import * as l10n from '@vscode/l10n'

/** A process of an attached program, as it is named before the first signal. */
export interface NamedProcess {
  readonly pid: number
  /** Empty for one that nobody has a name for. */
  readonly name: string
}

/**
 * Every pid has to be named, but a list that is longer than the screen hides the buttons: from here on they share
 * lines.
 */
const mostLines = 15

/** Every process that may be ended from here on, one a line, or all pids in one paragraph where there are too many. */
export function processList(processes: readonly NamedProcess[]): string {
  if (processes.length > mostLines) return processes.map(({ pid }) => pid).join(', ')
  return processes
    .map(({ pid, name }) => (name === '' ? l10n.t('pid {0}', pid) : l10n.t('pid {0}: {1}', pid, name)))
    .join('\n')
}
