import * as l10n from '@vscode/l10n'

/** `842 ms`, `3.1 s`, then as {@link formatSeconds}: a tenth of a second matters under ten seconds only. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return l10n.t('{0} ms', Math.max(0, Math.round(durationMs)))
  if (durationMs < 10_000) return l10n.t('{0} s', (Math.floor(durationMs / 100) / 10).toFixed(1))
  return formatSeconds(durationMs)
}

/** `0 s`, `42 s`, `3 min 5 s`, `2 h 7 min`, `1 d 3 h`: whole seconds, at most two units, no zero at the end. */
export function formatSeconds(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (days > 0) return joinUnits(l10n.t('{0} d', days), hours % 24, l10n.t('{0} h', hours % 24))
  if (hours > 0) return joinUnits(l10n.t('{0} h', hours), minutes % 60, l10n.t('{0} min', minutes % 60))
  if (minutes > 0) return joinUnits(l10n.t('{0} min', minutes), seconds % 60, l10n.t('{0} s', seconds % 60))
  return l10n.t('{0} s', seconds)
}

/**
 * For a row, which is drawn again with every step: seconds under ten, tens of seconds under a minute, then minutes.
 * @param calm Leaves out the single seconds too.
 */
export function formatElapsed(durationMs: number, calm = false): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000))
  if (seconds < 10) return calm ? l10n.t('<10 s') : l10n.t('{0} s', seconds)
  const step = seconds < 60 ? 10 : 60
  return formatSeconds((seconds - (seconds % step)) * 1000)
}

function joinUnits(large: string, smallValue: number, small: string): string {
  return smallValue === 0 ? large : `${large} ${small}`
}
