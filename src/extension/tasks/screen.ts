import { onlyColours } from '../../words'
import * as styles from './styles'

const eraseLine = '\r\u001b[2K'

/**
 * A terminal with one line at the bottom that is redrawn in place while other lines scroll above it. Writes `\r\n`, as
 * a pseudoterminal must.
 */
export class TerminalScreen {
  readonly #write: (text: string) => void
  #status = ''

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  /** Prints lines above the status line, in one write. */
  print(...lines: readonly string[]): void {
    if (lines.length === 0) return
    const text = lines.map((line) => `${onlyColours(line).replaceAll(/\r?\n/g, '\r\n')}\r\n`).join('')
    this.#write(this.#status === '' ? text : `${eraseLine}${text}${styles.dim(this.#status)}`)
  }

  /** Replaces the status line. */
  status(text: string): void {
    const line = onlyColours(text)
    if (line === this.#status) return
    this.#status = line
    this.#write(`${eraseLine}${styles.dim(line)}`)
  }

  /** Takes the status line away. */
  clearStatus(): void {
    if (this.#status === '') return
    this.#status = ''
    this.#write(eraseLine)
  }
}
