/** `842 ms`, `3.1 s`, `42 s`, `2 min 05 s`, `1 h 03 min`: as exact as a person needs it. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`
}

/**
 * As {@link formatDuration} in whole seconds, at least one: an estimate in tenths of a second claims more than it
 * knows, and a line that changes all the time cannot be read.
 */
export function formatSeconds(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** `512 B`, `41 MB`, `1.2 GB`, counting in 1024 as `ps` and `top` do. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < sizeUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = value < 10 && unit > 1 ? 1 : 0
  return `${value.toFixed(digits)} ${sizeUnits[unit] ?? 'B'}`
}

/** `1 worker`, `3 workers`; `2 processes`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`
}
