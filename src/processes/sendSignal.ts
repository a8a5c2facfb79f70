import type { SignalOutcome } from './types'

/**
 * Sends to a pid whose identity was checked in the same tick of the event loop. Throws only for programming errors,
 * such as an unknown signal.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals | number): SignalOutcome {
  // 0 would only ask whether the pid is taken, which is no signal.
  if (signal === 0) throw new RangeError('0 is no signal')
  try {
    process.kill(pid, signal)
    return 'sent'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return 'gone'
    // ENOSYS: Windows has hardly any signals.
    if (code === 'EPERM' || code === 'EACCES' || code === 'ENOSYS') return 'denied'
    throw error
  }
}
