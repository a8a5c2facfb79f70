import { randomBytes } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Claims granted at a time: one system call serves thousands of tasks, and a claim without a task does no harm.
 */
const granted = 16 * 1024
const many = Buffer.allocUnsafe(granted)

/**
 * Decides which worker starts a task that was sent ahead: the one that has it, or, once the pool has taken it back,
 * another. Exactly one may, even when the first is stopped, spins, or is just dying. The kernel decides: pool and
 * worker hold the same open file, and so share one file offset. A worker reads one byte before it starts such a task; a
 * read by either side moves the offset for both. The file's bytes do not exist (it is only as long as claims were
 * granted), nothing is ever written, and it is unlinked at once.
 *
 * POSIX makes read() on a regular file atomic with regard to the offset, and Linux and macOS do so. Windows does not
 * promise it: there nothing is sent ahead.
 */
export class ClaimFile {
  readonly fd: number
  #granted = 0
  /** Claims before the last recall, which are void. */
  #base = 0
  #sent = 0

  private constructor(fd: number) {
    this.fd = fd
  }

  /** Undefined where nothing can be sent ahead: on Windows, and without a folder for temporary files. */
  static make(): ClaimFile | undefined {
    if (process.platform === 'win32') return undefined
    const path = join(tmpdir(), `unhang-claims-${randomBytes(8).toString('hex')}`)
    try {
      const fd = openSync(path, 'wx+', 0o600)
      unlinkSync(path)
      return new ClaimFile(fd)
    } catch {
      return undefined
    }
  }

  /** True when one more task can be sent ahead; false when the file system refuses to make room. */
  get hasRoom(): boolean {
    if (this.#base + this.#sent < this.#granted) return true
    try {
      ftruncateSync(this.fd, this.#granted + granted)
    } catch {
      return false
    }
    this.#granted += granted
    return true
  }

  /** One more task that needs a claim is sent; only while it {@link hasRoom}. */
  grant(): void {
    this.#sent++
  }

  /** Takes back every claim that is left. Returns how many of the tasks sent since the last recall were not claimed. */
  recall(): number {
    if (this.#sent === 0) return 0
    let left = 0
    for (;;) {
      const read = readSync(this.fd, many, 0, many.length, null)
      if (read === 0) break
      left += read
    }
    const claimed = this.#granted - this.#base - left
    const unclaimed = this.#sent - claimed
    this.#base = this.#granted
    this.#sent = 0
    return unclaimed
  }

  close(): void {
    closeSync(this.fd)
  }
}
