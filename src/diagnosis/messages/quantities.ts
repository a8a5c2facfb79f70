import { signalNumber, type ProcessState } from '../../processes'
import { inEnglish, message, type Message } from './message'

/** `12 s`, `450 ms`, `3 min 5 s`. */
export function duration(ms: number): Message {
  if (ms < 1000) return message('{0} ms', Math.round(ms))
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return message('{0} s', ms < 10_000 ? (ms / 1000).toFixed(1) : seconds)
  const minutes = message('{0} min', Math.floor(seconds / 60))
  return seconds % 60 === 0 ? minutes : message('{0} {1}', minutes, message('{0} s', seconds % 60))
}

/** {@link duration} in English. */
export function durationInWords(ms: number): string {
  return inEnglish(duration(ms))
}

/** The notation of Python: `exit 1`, `exit -9 (SIGKILL)`. */
export function exitNotation(exitCode: number | null, signal: NodeJS.Signals | null): Message {
  if (signal === null) return exitCode === null ? message('exit unknown') : message('exit {0}', exitCode)
  const number = signalNumber(signal)
  return number === undefined ? message('exit ({0})', signal) : message('exit -{0} ({1})', number, signal)
}

/** {@link exitNotation} in English. */
export function exitInWords(exitCode: number | null, signal: NodeJS.Signals | null): string {
  return inEnglish(exitNotation(exitCode, signal))
}

/** The state of a process in one word. */
export function stateInWords(state: ProcessState): Message {
  switch (state) {
    case 'running':
      return message('running')
    case 'sleeping':
      return message('sleeping')
    case 'uninterruptible':
      return message('uninterruptible')
    case 'stopped':
      return message('stopped')
    case 'zombie':
      return message('zombie')
    case 'idle':
      return message('idle')
    case 'unknown':
      return message('unknown')
  }
}

/** `1 task`, `12 tasks`. */
export function tasks(number: number): Message {
  return number === 1 ? message('1 task') : message('{0} tasks', number)
}

/** `1 result`, `12 results`. */
export function results(number: number): Message {
  return number === 1 ? message('1 result') : message('{0} results', number)
}

/** `1 item`, `12 items`. */
export function items(number: number): Message {
  return number === 1 ? message('1 item') : message('{0} items', number)
}

/** `0 bytes`, `12 bytes`. */
export function bytes(number: number): Message {
  return message('{0} bytes', number)
}
