import { closeSync, writeSync } from 'node:fs'

/**
 * The pipe on which a starting host reports to its client why it cannot start. A file would not do: the runtime folder
 * may be full or read-only.
 */
export class StartReason {
  #descriptor: number | undefined

  /** @param descriptor Undefined for a host that was started by hand. */
  constructor(descriptor: number | undefined) {
    this.#descriptor = descriptor
  }

  /** Reports the reason, once. */
  tell(reason: string): void {
    const descriptor = this.#descriptor
    if (descriptor === undefined) return
    try {
      writeSync(descriptor, `${reason}\n`)
    } catch {
      // The client has left; the same text is on stderr.
    }
    this.close()
  }

  /** Closes the pipe once the host runs. */
  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    if (descriptor === undefined) return
    try {
      closeSync(descriptor)
    } catch {
      // Named by hand, and not open.
    }
  }
}

/** The descriptor that `--reason-to` names; undefined when it names none. */
export function reasonDescriptorOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,3}$/.test(text) && Number(text) > 2 ? Number(text) : undefined
}
