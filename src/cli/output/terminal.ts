import { OutputQueue } from './outputQueue'
import { paletteFor, type Palette } from './palette'
import { withOwnStylesOnly } from './ownStyles'

const stdoutFd = 1
const stderrFd = 2
const eraseLine = '\r\x1b[K'
/** For a terminal that does not tell its width. */
const defaultColumns = 80

/** What a command says: results on stdout, remarks on stderr, and one line that is rewritten in place. */
export class Terminal {
  readonly #stderr: { readonly isTTY?: boolean; readonly columns?: number }
  readonly #queue: OutputQueue

  readonly stdoutPalette: Palette
  readonly stderrPalette: Palette
  #status = ''

  constructor(
    stdout: { readonly isTTY?: boolean; readonly columns?: number },
    stderr: { readonly isTTY?: boolean; readonly columns?: number },
    env: NodeJS.ProcessEnv,
    queue = new OutputQueue(),
  ) {
    this.#stderr = stderr
    this.#queue = queue

    this.stdoutPalette = paletteFor(stdout, env)
    this.stderrPalette = paletteFor(stderr, env)
  }

  /** Whether a line can be rewritten in place. */
  get isInteractive(): boolean {
    return this.#stderr.isTTY === true
  }
  get columns(): number {
    return this.#stderr.columns ?? defaultColumns
  }

  /** A result: text that scripts read. */
  print(text: string): void {
    this.#withoutStatus(() => {
      this.#queue.push(stdoutFd, `${withOwnStylesOnly(text)}\n`)
    })
  }

  /** A remark, a warning, an error. */
  note(text: string): void {
    this.#withoutStatus(() => {
      this.#queue.push(stderrFd, `${withOwnStylesOnly(text)}\n`)
    })
  }

  /** Lines of workers, each to the stream it came from; dropped when the reader is far too slow. */
  printWorkerLines(lines: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[]): void {
    if (lines.length === 0) return
    this.#withoutStatus(() => {
      for (const line of lines) {
        this.#queue.push(line.stream === 'stdout' ? stdoutFd : stderrFd, `${line.text}\n`, { mayDrop: true })
      }
    })
  }

  /** Replaces the line at the bottom; an empty one removes it. On a terminal only. */
  showStatus(text: string): void {
    const line = withOwnStylesOnly(text)
    if (!this.isInteractive || line === this.#status) return
    this.#queue.push(stderrFd, eraseLine + line)
    this.#status = line
  }

  /** Everything is written, or has no reader any more. */
  async drained(): Promise<void> {
    await this.#queue.drained()
  }

  #withoutStatus(write: () => void): void {
    if (this.#status !== '') this.#queue.push(stderrFd, eraseLine)
    write()
    if (this.#status !== '') this.#queue.push(stderrFd, this.#status)
  }
}
