// Whether a test run cleaned up after itself: no process, no socket, no temporary folder of ours may be left.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is about to end may take this long: a host that was told to stop, a worker whose channel closed. */
const defaultSettleMs = 10_000

/** One kind of thing that may be left, and what of it is. @typedef {{ check: string, left: string[] }} LeakResult */

/**
 * A test run with a temporary folder and a mark of its own: every process that it starts, however far down, carries the
 * mark in its environment, and everything temporary lands in the folder. So what is left can be told from what others
 * on the machine do, and nothing has to be guessed from names. This only reports: it ends no process.
 */
export class MarkedRun {
  /** Short, because sockets lie below it and a socket's path is limited to about 100 bytes. */
  folder = temporaryFolder()
  mark = randomBytes(8).toString('hex')
  #settleMs

  /** @param {{ settleMs?: number }} [options] how long {@link leaks} waits for what is just ending */
  constructor({ settleMs = defaultSettleMs } = {}) {
    this.#settleMs = settleMs
  }

  /** The environment for everything that belongs to the run. */
  get environment() {
    return { ...process.env, TMPDIR: this.folder, UNHANG_TEST_RUN: this.mark }
  }

  /** Waits a moment for what is just ending, then says what is left. @returns {Promise<LeakResult[]>} */
  async leaks() {
    const deadline = Date.now() + this.#settleMs
    for (;;) {
      const results = [
        { check: 'no process is left', left: this.#processes() },
        { check: 'no socket is left', left: this.#sockets() },
        { check: 'no temporary folder is left', left: this.#folders() },
      ]
      if (results.every(({ left }) => left.length === 0) || Date.now() > deadline) return results
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  #processes() {
    return process.platform === 'linux' ? this.#processesFromProc() : this.#processesFromPs()
  }

  #processesFromProc() {
    return this.#markedPids().map((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '?'
        return `pid ${pid} (parent ${parent}): ${command.slice(0, 300)}`
      } catch {
        return `pid ${pid}, which ended while we looked`
      }
    })
  }

  #markedPids() {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => this.#isMarked(pid))
  }

  /** @param {number} pid */
  #isMarked(pid) {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`UNHANG_TEST_RUN=${this.mark}`)
    } catch {
      return false // ended, or another user's
    }
  }

  /**
   * Ends what an interrupted run leaves behind (only then: after a whole run, what is left is a finding). A process
   * that carries the run's random mark was started by it, whatever its name.
   */
  endMarked() {
    if (process.platform !== 'linux') return
    for (const pid of this.#markedPids()) {
      try {
        if (this.#isMarked(pid)) process.kill(pid, 'SIGKILL')
      } catch {
        // It was faster.
      }
    }
  }

  /** Without /proc: by command line, for the folder's name is nobody else's. */
  #processesFromPs() {
    const lines = execFileSync('ps', ['-Ao', 'pid=,command='], { encoding: 'utf8' }).split('\n')
    return lines
      .map((line) => line.trim())
      .filter((line) => line.includes(this.folder))
      .map((line) => `pid ${line.slice(0, 300)}`)
  }

  #sockets() {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isSocket())
      .map((entry) => join(entry.parentPath, entry.name))
  }

  #folders() {
    // Chromium, npm and Node leave caches of their own there; those go with the folder.
    return readdirSync(this.folder)
      .filter((name) => name.startsWith('unhang'))
      .map((name) => join(this.folder, name))
  }

  /** Removes the run's folder with whatever is still in it. */
  remove() {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** What is in it is its owner's, but tests with other users have folders of theirs below it. */
function temporaryFolder() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'unhang-t-')))
  chmodSync(folder, 0o711)
  return folder
}
