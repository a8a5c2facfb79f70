import type { ProcessRow } from '../types'
import { beforeDeadline, readMemoryFile, tooLate } from './memoryFile'
import { isGoneOrForbidden, isOutOfDescriptors } from './procFile'

/** Reads command lines, and remembers who never answered. */
export class CommandLines {
  readonly #deadlineMs: number | undefined
  readonly #readText: (pid: number) => Promise<string>

  /** Start times by pid of those that made us wait; there are hardly ever any. */
  readonly #silent = new Map<number, string>()

  constructor(
    deadlineMs?: number,
    readText = (pid: number): Promise<string> => readMemoryFile(`/proc/${pid}/cmdline`),
  ) {
    this.#deadlineMs = deadlineMs
    this.#readText = readText
  }

  /** The arguments of a process that was just seen in this state; undefined when they cannot be read now. */
  async read({ identity, state }: ProcessRow): Promise<readonly string[] | undefined> {
    // A zombie has no arguments any more, and the memory of a process in state D may be locked.
    if (state === 'zombie' || state === 'uninterruptible') return undefined
    if (this.#silent.get(identity.pid) === identity.startTime) return undefined
    const text = await beforeDeadline(this.#text(identity.pid), this.#deadlineMs)
    if (text === tooLate) {
      this.#silent.set(identity.pid, identity.startTime)
      return undefined
    }
    return text === undefined ? undefined : parseCommandLine(text)
  }

  async #text(pid: number): Promise<string | undefined> {
    try {
      return await this.#readText(pid)
    } catch (error) {
      if (isGoneOrForbidden(error) || isOutOfDescriptors(error)) return undefined
      throw error
    }
  }
}

/**
 * Arguments are ended by NUL. A program that gave itself a title (setproctitle) leaves one text, sometimes with the
 * rest of the space behind it as NULs or blanks; a kernel thread has nothing.
 */
export function parseCommandLine(text: string): string[] {
  const args = text.replace(/[\0 ]+$/, '').split('\0')
  return args.length === 1 && args[0] === '' ? [] : args
}
