import * as l10n from '@vscode/l10n'

/** What is said of workers whose host is gone. */
export function orphansMessage(workers: number): string {
  return workers === 1
    ? l10n.t('The host ended; 1 worker is left behind.')
    : l10n.t('The host ended; {0} workers are left behind.', workers)
}
