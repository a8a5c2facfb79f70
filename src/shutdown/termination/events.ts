import type { SaveContext, TerminationNotice } from './terminationConfig'

/** What a preemption tells on its way, in this order. */
export type PreemptionEvent =
  | {
      readonly kind: 'noticed'
      readonly notice: TerminationNotice
      readonly gracePeriodMs: number
      readonly exitCode: number
    }
  /** A further notice: nothing new. */
  | { readonly kind: 'ignored'; readonly source: string; readonly phase: PreemptionPhase }
  /** SIGTERM once more, or `hurry()`: the grace period ends now, or running tasks are cut now. */
  | { readonly kind: 'hurried'; readonly phase: PreemptionPhase }
  | { readonly kind: 'saved'; readonly occasion: SaveContext['occasion']; readonly elapsedMs: number }
  /** `error` undefined: it took too long. */
  | {
      readonly kind: 'saveFailed'
      readonly occasion: SaveContext['occasion']
      readonly elapsedMs: number
      readonly error: unknown
    }
  /** No task is started any more. */
  | { readonly kind: 'held'; readonly running: number }
  /** Tasks that did not end in time were ended. */
  | { readonly kind: 'cut'; readonly tasks: readonly string[] }
  /** What could not be ended. */
  | { readonly kind: 'issues'; readonly issues: readonly string[] }
  /** `leftMs` of the grace period; null where there was none. */
  | { readonly kind: 'leaving'; readonly exitCode: number; readonly afterMs: number; readonly leftMs: number | null }
  /** Something failed that the preemption goes on without. */
  | { readonly kind: 'problem'; readonly what: string; readonly error: unknown }

/**
 * `watching` for a notice; `using` the grace period (its first save included); `wrappingUp`: no new tasks; `saving` for
 * the last time; `leaving`; `stopped` by `stop()`.
 */
export type PreemptionPhase = 'watching' | 'using' | 'wrappingUp' | 'saving' | 'leaving' | 'stopped'

/** An event in one line, for a log. */
export function describePreemption(event: PreemptionEvent): string {
  switch (event.kind) {
    case 'noticed':
      return (
        `Notice of termination from ${event.notice.source}; ` +
        `${event.gracePeriodMs === 0 ? 'leaving at once' : `${event.gracePeriodMs} ms left`}.`
      )
    case 'ignored':
      return `A further notice from ${event.source} changes nothing (${event.phase}).`
    case 'hurried':
      return event.phase === 'using' ? 'The rest of the grace period is not used.' : 'Running tasks are cut now.'
    case 'saved':
      return `Saved in ${event.elapsedMs} ms (${event.occasion}).`
    case 'saveFailed':
      return event.error === undefined
        ? `The save (${event.occasion}) was not done after ${event.elapsedMs} ms, and is not waited for.`
        : `The save (${event.occasion}) failed after ${event.elapsedMs} ms: ${messageOf(event.error)}.`
    case 'held':
      return `No task is started any more; ${event.running} still run.`
    case 'cut':
      return `Did not end in time and are cut: ${event.tasks.join(', ')}.`
    case 'issues':
      return `Could not be ended: ${event.issues.join('; ')}.`
    case 'leaving':
      return `Leaving with exit code ${event.exitCode}, ${event.afterMs} ms after the notice.`
    case 'problem':
      return `${event.what}: ${messageOf(event.error)}.`
  }
}

/** True for what a person should hear of who listens to nothing else. */
export function isWarning({ kind }: PreemptionEvent): boolean {
  return kind === 'saveFailed' || kind === 'cut' || kind === 'issues' || kind === 'problem'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
