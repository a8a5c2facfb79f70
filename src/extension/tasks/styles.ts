/** Terminal styles by the 16 theme colours, so that the person's theme decides how they look. */
const reset = '\u001b[0m'

export function dim(text: string): string {
  return `\u001b[2m${text}${reset}`
}

export function bold(text: string): string {
  return `\u001b[1m${text}${reset}`
}

export function red(text: string): string {
  return `\u001b[31m${text}${reset}`
}

export function yellow(text: string): string {
  return `\u001b[33m${text}${reset}`
}

export function green(text: string): string {
  return `\u001b[32m${text}${reset}`
}

/** Cyan, blue, magenta, green and their bright forms: no red or yellow, which mean something here. */
const nameColors = [36, 34, 35, 32, 96, 94, 95, 92] as const

/** A worker's name in a colour of its own, the same each time. */
export function workerName(name: string): string {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0)
  return `\u001b[${nameColors[number % nameColors.length] ?? 36}m${name}${reset}`
}
