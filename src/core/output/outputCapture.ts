import { OutputFile } from './outputFile'
import type { OutputFolder } from './outputFolder'
import { OutputTail } from './outputTail'

/**
 * What is kept in memory of each stream of each running task: a screenful many times over, and little next to a
 * process.
 */
export const tailBytes = 64 * 1024
/** A disk that does not answer must not keep a task from ending. */
const flushLimitMs = 2000

export type StreamName = 'stdout' | 'stderr'

/**
 * Output of one run of one task: a bounded tail in memory, everything in files that exist only once something is
 * printed.
 */
export class OutputCapture {
  readonly stdout: OutputFile
  readonly stderr: OutputFile
  readonly #tails: Record<StreamName, OutputTail | null> = { stdout: null, stderr: null }
  /** For the stuck watch: output is progress. */
  bytes = 0

  constructor(folder: OutputFolder, name: string) {
    this.stdout = new OutputFile(() => folder.file(`${name}.stdout`))
    this.stderr = new OutputFile(() => folder.file(`${name}.stderr`))
  }

  /** False when the disk is behind: do not read on until `resume` is called. */
  push(stream: StreamName, chunk: Buffer, resume: () => void): boolean {
    this.bytes += chunk.length
    const tail = (this.#tails[stream] ??= new OutputTail(tailBytes))
    tail.push(chunk)
    return this[stream].write(chunk, resume)
  }

  /** Why a file is not there although something was printed; undefined when all is well. */
  get failed(): Error | undefined {
    return this.stdout.failed ?? this.stderr.failed
  }

  tail(stream: StreamName): string {
    return this.#tails[stream]?.text() ?? ''
  }

  /** True when there are files to wait for. */
  get printed(): boolean {
    return this.bytes > 0
  }

  /** Resolves once the files hold everything (bounded). */
  async end(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, flushLimitMs)
    })
    await Promise.race([Promise.all([this.stdout.end(), this.stderr.end()]), limit])
    clearTimeout(timer)
  }
}
