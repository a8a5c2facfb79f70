import { styleText } from 'node:util'

/** The terminal of a task is drawn by VS Code and always has colours; Node would ask its own stdout, which is none. */
const unchecked = { validateStream: false } as const

/** Terminal styles by the 16 theme colours, so that the user's theme decides how they look. */
export function dim(text: string): string {
  return styleText('dim', text, unchecked)
}

export function bold(text: string): string {
  return styleText('bold', text, unchecked)
}

export function red(text: string): string {
  return styleText('red', text, unchecked)
}

export function yellow(text: string): string {
  return styleText('yellow', text, unchecked)
}

export function green(text: string): string {
  return styleText('green', text, unchecked)
}

/** No red or yellow, which mean an error or a warning here. */
const nameColours = [
  'cyan',
  'blue',
  'magenta',
  'green',
  'cyanBright',
  'blueBright',
  'magentaBright',
  'greenBright',
] as const

/** A worker's name in a colour of its own, the same each time. */
export function workerName(name: string): string {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0)
  return styleText(nameColours[number % nameColours.length] ?? 'cyan', name, unchecked)
}
