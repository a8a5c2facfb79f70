import { signalNumber } from '../processes'

/** `12 s`, `450 ms`, `3 min 5 s`. */
export function durationInWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
}

/** The Python way: `exit 1`, `exit -9 (SIGKILL)`. */
export function exitInWords(exitCode: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return exitCode === null ? 'exit unknown' : `exit ${exitCode}`
  const number = signalNumber(signal)
  return number === undefined ? `exit (${signal})` : `exit -${number} (${signal})`
}
