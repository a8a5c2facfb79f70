import { constants } from 'node:os'
import * as l10n from '@vscode/l10n'

/** Exit code and signal of a process; both null while it runs, and when nothing reported its end. */
export interface ProcessExit {
  readonly exitCode: number | null
  readonly signal: string | null
}

/** How a process ended, as Python writes it: `exit 0`, `exit -9 (SIGKILL)`; undefined when neither is known. */
export function exitText({ exitCode, signal }: ProcessExit): string | undefined {
  if (signal !== null) {
    const number = signalNumber(signal)
    return number === undefined ? l10n.t('exit ({0})', signal) : l10n.t('exit -{0} ({1})', number, signal)
  }
  return exitCode === null ? undefined : l10n.t('exit {0}', exitCode)
}

/** The number of a signal on this system; undefined for one that it does not know. */
export function signalNumber(signal: string): number | undefined {
  return (constants.signals as Readonly<Record<string, number | undefined>>)[signal]
}
