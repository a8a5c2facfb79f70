import * as l10n from '@vscode/l10n'
import type { PoolSnapshot, TaskSnapshot, WorkerSnapshot } from '../protocol'

/** A pool's state in words. */
export function poolStateText(state: PoolSnapshot['state']): string {
  switch (state) {
    case 'init':
      return l10n.t('starting')
    case 'run':
      return l10n.t('running')
    case 'close':
      return l10n.t('finishing')
    case 'terminate':
      return l10n.t('terminating')
    case 'ended':
      return l10n.t('ended')
  }
}

/** A worker's status in words. */
export function workerStatusText(status: WorkerSnapshot['status']): string {
  switch (status) {
    case 'starting':
      return l10n.t('starting')
    case 'idle':
      return l10n.t('idle')
    case 'busy':
      return l10n.t('busy')
    case 'stopping':
      return l10n.t('stopping')
    case 'exited':
      return l10n.t('exited')
  }
}

/** A task's state in words. */
export function taskStateText(state: TaskSnapshot['state']): string {
  switch (state) {
    case 'queued':
      return l10n.t('queued')
    case 'running':
      return l10n.t('running')
    case 'done':
      return l10n.t('done')
    case 'failed':
      return l10n.t('failed')
    case 'lost':
      return l10n.t('lost')
    case 'timedOut':
      return l10n.t('timed out')
    case 'cancelled':
      return l10n.t('cancelled')
  }
}

/** A verdict's code as words for a row: `no-progress` → `no progress`. The sentence is in the verdict's summary. */
export function verdictText(code: string): string {
  return code.replaceAll('-', ' ')
}
