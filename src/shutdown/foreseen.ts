import type { ProcessState, SignalMasks } from '../processes'

/**
 * What is known of a process before it is signalled, in the words of the report. State D says nothing yet: most
 * processes are in it for a moment now and then, so `uninterruptible` is added by who has watched one (see
 * TrackedProcess).
 */
export function foresee(state: ProcessState, masks: SignalMasks | undefined, signal: NodeJS.Signals): string[] {
  if (state === 'zombie') return ['zombie']
  const words: string[] = []
  if (state === 'stopped') words.push('stopped')
  // No process can refuse these two.
  if (signal === 'SIGKILL' || signal === 'SIGSTOP') return words
  // The debugger gets the signal, and decides whether the process does.
  if (masks?.tracerPid !== undefined) words.push(`traced by pid ${masks.tracerPid}`)
  if (masks?.ignored.has(signal) === true) words.push(`ignores ${signal}`)
  else if (masks?.blocked.has(signal) === true) words.push(`blocks ${signal}`)
  return words
}
