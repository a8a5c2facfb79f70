import { constants } from 'node:os'
import * as l10n from '@vscode/l10n'

/** How a process ended, the Python way: `exit 0`, `exit 1`, `exit -9 (SIGKILL)`. */
export function exitText(exitCode: number | null, signal: string | null): string {
  if (signal !== null) {
    const number = (constants.signals as Readonly<Record<string, number>>)[signal]
    return number === undefined ? l10n.t('exit ({0})', signal) : l10n.t('exit -{0} ({1})', number, signal)
  }
  return exitCode === null ? l10n.t('exited') : l10n.t('exit {0}', exitCode)
}
