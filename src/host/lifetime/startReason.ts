import { closeSync, writeSync } from 'node:fs'

/**
 * The pipe through which a starting host tells the client that started it why it cannot: the runtime folder may be
 * full, or not to be written, so a file there cannot tell it.
 */
export class StartReason {
  #descriptor: number | undefined

  /** @param descriptor Undefined for a host that was started by hand. */
  constructor(descriptor: number | undefined) {
    this.#descriptor = descriptor
  }

  /** Says it, once. */
  tell(reason: string): void {
    const descriptor = this.#descriptor
    if (descriptor === undefined) return
    try {
      writeSync(descriptor, `${reason}\n`)
    } catch {
      // The client has left; the same words are on stderr.
    }
    this.close()
  }

  /** The host runs: there is nothing to tell any more. */
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
