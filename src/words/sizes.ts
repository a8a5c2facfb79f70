const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** `512 B`, `43 MB`, `1.5 GB`: powers of 1024, one decimal below ten. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit: (typeof units)[number] = 'B'
  for (const next of units) {
    unit = next
    if (value < 1023.5) break
    if (next !== 'TB') value /= 1024
  }
  const digits = unit !== 'B' && value < 9.95 ? 1 : 0
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${unit}`
}

/** `0 %`, `37 %`, `0.4 %`. */
export function formatPercent(percent: number): string {
  const value = Math.max(0, percent)
  return `${value > 0 && value < 0.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} %`
}
