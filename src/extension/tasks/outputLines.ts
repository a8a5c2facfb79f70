/** Colours (SGR) pass; whatever else would move the cursor, clear or retitle the terminal is taken out. */

const controlSequences = new RegExp(
  [
    '\\u001b\\[[0-9;:]*m', // SGR: colours
    '\\u001b\\[[0-?]*[ -/]*[@-~]', // CSI
    '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)', // OSC: titles, links
    '\\u001b[PX^_][^\\u001b]*\\u001b\\\\', // DCS, SOS, PM, APC
    '\\u001b[ -/]*[0-~]',
    '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001a\\u001c-\\u001f\\u007f-\\u009f]',
  ].join('|'),
  'g',
)
const escape = '\u001b'
const colour = new RegExp(`^${escape}\\[[0-9;:]*m$`)

/** A line that never ends is cut here, so that one worker cannot fill the memory: the file of the task has it whole. */
const longestLine = 16_384

/** Joins one stream's chunks to lines that are safe to print between those of other workers. */
export class OutputLines {
  #rest = ''

  /** Complete lines of what has come so far, without their ends. */
  push(text: string): string[] {
    const parts = (this.#rest + text).split('\n')
    const rest = parts.pop() ?? ''
    const lines = parts
    if (rest.length > longestLine) {
      lines.push(rest)
      this.#rest = ''
    } else {
      this.#rest = rest
    }
    return lines.map(cleanLine)
  }

  /** The last line, if it had no end. */
  flush(): string[] {
    const rest = this.#rest
    this.#rest = ''
    return rest === '' ? [] : [cleanLine(rest)]
  }
}

/**
 * One line as it would stand at the end: what a carriage return overwrites is gone, and only colours are left of its
 * codes.
 */
export function cleanLine(line: string): string {
  const trimmed = line.endsWith('\r') ? line.slice(0, -1) : line
  const visible = trimmed.slice(trimmed.lastIndexOf('\r') + 1)
  const clean = onlyColours(visible)
  return clean.includes('\u001b[') ? `${clean}\u001b[0m` : clean
}

/** One line without any codes: for what must be aligned, and for names and messages, which must not draw anything. */
export function plainLine(line: string): string {
  return line
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll('\t', ' ')
    .replace(controlSequences, '')
}

/** Lines as they may be written: colours and line ends pass, nothing else that a terminal would act on. */
export function onlyColours(text: string): string {
  return text.replaceAll(/\r(?!\n)/g, ' ').replace(controlSequences, (code) => (colour.test(code) ? code : ''))
}
