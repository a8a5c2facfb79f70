import { envReferences } from './shellContext'
import type { ReferencingScript } from './shellContext'
import { isPlainNumber, secondReadings } from './secondReading'
import type { SecondReading } from './secondReading'

/** What a command line is made of for one item. */
export interface RenderedCommand {
  /** For a shell command the script, else the program. */
  readonly file: string
  readonly args: readonly string[]
  readonly shell: boolean
  /** Variables a shell script reads the values from. */
  readonly env: Readonly<Record<string, string>>
}

/** The item cannot be part of a command line. */
export class UnusableItemError extends Error {
  override readonly name = 'UnusableItemError'
}

const placeholder = /\$\{(item|index)\}/g
/** Read by `${item}` and `${index}` in a shell command. */
export const itemVariable = 'UNHANG_ITEM'
export const indexVariable = 'UNHANG_INDEX'

/** A command with `${item}` and `${index}`, parsed once and rendered for every item. */
export class CommandTemplate {
  readonly #command: string | readonly string[]
  readonly #script: ReferencingScript | undefined
  readonly #secondReading: SecondReading | undefined

  /** @throws UnreachablePlaceholderError when a placeholder stands where no shell would replace it */
  constructor(command: string | readonly string[]) {
    this.#command = command
    this.#script =
      typeof command === 'string' && process.platform !== 'win32'
        ? envReferences(command, { item: itemVariable, index: indexVariable })
        : undefined
    // cmd.exe does not run POSIX scripts.
    this.#secondReading =
      typeof command === 'string' && this.#script === undefined ? undefined : secondReadings(command)[0]
  }

  /** The command as a person would write it, on as many lines as it has. @throws UnusableItemError */
  display(item: unknown, index: number): string {
    const value = itemText(item)
    const insert = (text: string): string =>
      text.replace(placeholder, (_, name) => (name === 'item' ? value : String(index)))
    const command = this.#command
    return typeof command === 'string'
      ? insert(command)
      : command.map((part) => quoteForDisplay(insert(part))).join(' ')
  }

  /** @throws UnusableItemError */
  render(item: unknown, index: number): RenderedCommand {
    const value = itemText(item)
    if (value.includes('\0'))
      throw new UnusableItemError('the item contains a NUL character, which no command line can carry')
    const insert = (text: string, quote: (value: string) => string = (plain) => plain) =>
      text.replace(placeholder, (_, name) => (name === 'item' ? quote(value) : String(index)))
    const command = this.#command
    if (this.#secondReading !== undefined) mustBeNoCode(value, this.#secondReading)
    if (typeof command === 'string') {
      if (this.#script === undefined) {
        return { file: insert(command, quoteForCmd), args: [], shell: true, env: {} }
      }
      if (this.#script.calculated.has('item')) mustBeNumber(value)
      return {
        file: this.#script.script,
        args: [],
        shell: true,
        env: { [itemVariable]: value, [indexVariable]: String(index) },
      }
    }
    const [file = '', ...args] = command.map((part) => insert(part))
    return { file, args, shell: false, env: {} }
  }
}

/** Strings as they are, everything else as JSON. @throws UnusableItemError */
export function itemText(item: unknown): string {
  if (typeof item === 'string') return item
  if (item === undefined || typeof item === 'function' || typeof item === 'symbol')
    throw new UnusableItemError(`an item of type ${typeof item} has no text`)
  try {
    return JSON.stringify(item)
  } catch (error) {
    throw new UnusableItemError(
      `the item cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** A shell calculates with what it finds: bash runs commands in it, and takes 010 for 8. */
function mustBeNumber(value: string): void {
  if (/^[+-]?(?:0|[1-9]\d*|0[xX][\da-fA-F]+)$/.test(value)) return
  throw new UnusableItemError(
    `the command calculates with \${item}, so it must be a whole number (without leading zeros), not ` +
      JSON.stringify(value.slice(0, 80)),
  )
}

function mustBeNoCode(value: string, { reader, advice }: SecondReading): void {
  if (isPlainNumber(value)) return
  throw new UnusableItemError(
    `${reader} would read the item as code, so it must be a number, not ` +
      `${JSON.stringify(value.slice(0, 80))}. ${advice}`,
  )
}

function quoteForDisplay(part: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(part) ? part : `'${part}'`
}

/**
 * cmd.exe expands %NAME% and ends quotes at every quote, with no way to escape either reliably: refuse rather than
 * guess.
 */
function quoteForCmd(value: string): string {
  if (/["%!\r\n^&|<>]/.test(value)) {
    throw new UnusableItemError(
      `cmd.exe cannot be given this item safely: ${value.slice(0, 80)}. Write the command as an array, which ` +
        'needs no shell',
    )
  }
  return `"${value}"`
}
