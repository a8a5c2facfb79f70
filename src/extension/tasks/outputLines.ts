import { onlyColours } from '../../words'

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
