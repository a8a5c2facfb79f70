import type { SignalOutcome } from './types'

/** Sends to a pid whose identity was checked in this very tick. Throws only for what is a mistake of ours, such as an unknown signal. */
export function sendSignal(pid: number, signal: NodeJS.Signals): SignalOutcome {
  try {
    process.kill(pid, signal)
    return 'sent'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return 'gone'
    if (code === 'EPERM' || code === 'EACCES') return 'denied'
    throw error
  }
}
