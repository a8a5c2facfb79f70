import type { Output } from '../../protocol'
import { plainLine } from '../../words'
import { LineAssembler } from './lineAssembler'

/** One line of a worker, with its name in front, and the stream it came from. */
export interface PrefixedLine {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** Turns a pool's output chunks into lines such as `PoolWorker-3 | page 7: ok`. */
export class WorkerOutput {
  readonly #wholeOutput: string
  readonly #stylePrefix: (prefix: string) => string

  readonly #assemblers = new Map<string, { worker: string; stream: 'stdout' | 'stderr'; lines: LineAssembler }>()

  /** @param wholeOutput Where the host keeps everything that was printed. */
  constructor(wholeOutput: string, stylePrefix: (prefix: string) => string = (prefix) => prefix) {
    this.#wholeOutput = wholeOutput
    this.#stylePrefix = stylePrefix
  }

  push(output: Output): PrefixedLine[] {
    const lines = output.chunks.flatMap((chunk) => {
      const key = `${chunk.worker}/${chunk.stream}`
      let entry = this.#assemblers.get(key)
      if (entry === undefined) {
        entry = { worker: chunk.worker, stream: chunk.stream, lines: new LineAssembler() }
        this.#assemblers.set(key, entry)
      }
      return this.#prefixed(entry.worker, entry.stream, entry.lines.push(chunk.text))
    })
    if (output.dropped > 0) {
      lines.push({
        stream: 'stderr',
        text:
          `(${output.dropped} bytes of output left out here: it came faster than it could be shown; all of it is ` +
          `in ${this.#wholeOutput})`,
      })
    }
    return lines
  }

  /** Lines without an end, once nothing more will come. */
  flush(): PrefixedLine[] {
    const rest = [...this.#assemblers.values()].flatMap((entry) =>
      this.#prefixed(entry.worker, entry.stream, entry.lines.flush()),
    )
    this.#assemblers.clear()
    return rest
  }

  #prefixed(worker: string, stream: 'stdout' | 'stderr', lines: readonly string[]): PrefixedLine[] {
    const prefix = this.#stylePrefix(`${plainLine(worker)} |`)
    return lines.map((line) => ({ stream, text: `${prefix} ${line}` }))
  }
}
