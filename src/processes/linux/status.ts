import { numbersInMask, signalsInMask } from '../signalNames'
import type { SignalMasks } from '../types'

/**
 * Signal masks from `/proc/PID/status`. `SigBlk` and `SigPnd` are the main thread's: another thread may still take a
 * signal that the main thread blocks, and a program that reads a signalfd blocks the signals that it handles. `pending`
 * shows whether a signal was taken.
 */
export function parseSignalMasks(text: string): SignalMasks | undefined {
  const mask = (name: string): string | undefined => new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(text)?.[1]
  const ignored = mask('SigIgn')
  const caught = mask('SigCgt')
  const blocked = mask('SigBlk')
  const pending = mask('SigPnd')
  const sharedPending = mask('ShdPnd')
  const tracerPid = Number(/^TracerPid:\s*(\d+)$/m.exec(text)?.[1] ?? 0)
  if (
    ignored === undefined ||
    caught === undefined ||
    blocked === undefined ||
    pending === undefined ||
    sharedPending === undefined
  ) {
    return undefined
  }
  return {
    ignored: signalsInMask(ignored),
    caught: signalsInMask(caught),
    blocked: signalsInMask(blocked),
    caughtNumbers: numbersInMask(caught),
    pending: new Set([...signalsInMask(pending), ...signalsInMask(sharedPending)]),
    ...(tracerPid === 0 ? {} : { tracerPid }),
  }
}

/** `Threads:` of `/proc/PID/status`. */
export function parseThreads(text: string): number | undefined {
  const count = /^Threads:\s*(\d+)$/m.exec(text)?.[1]
  return count === undefined ? undefined : Number(count)
}

/**
 * How often the main thread has left the processor, voluntarily or not (both counts of `/proc/PID/status`); null where
 * the kernel does not count.
 */
export function parseSwitches(text: string): number | null {
  const counts = [...text.matchAll(/^(?:non)?voluntary_ctxt_switches:\s*(\d+)$/gm)]
  return counts.length === 0 ? null : counts.reduce((sum, [, count]) => sum + Number(count), 0)
}
