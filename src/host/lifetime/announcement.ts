import { lutimes, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readHostInfo, removeHostInfo, writeHostInfo, type Endpoint, type HostInfo } from '../../discovery'

/**
 * systemd-tmpfiles and its like remove what has not been touched in /tmp for ten days, also of a host that lives:
 * clients would no longer find it, and start another one.
 */
const refreshMs = 3_600_000

/** The host's entry in the runtime folder: written once it listens, kept fresh while it lives, removed when it ends. */
export class Announcement {
  readonly #endpoint: Endpoint
  readonly #info: HostInfo
  readonly #onError: (error: unknown) => void

  #timer: NodeJS.Timeout | undefined

  constructor(endpoint: Endpoint, info: HostInfo, onError: (error: unknown) => void) {
    this.#endpoint = endpoint
    this.#info = info
    this.#onError = onError
  }

  async publish(): Promise<void> {
    await writeHostInfo(this.#endpoint, this.#info)
    this.#timer = setInterval(() => {
      this.refresh().catch(this.#onError)
    }, refreshMs)
    this.#timer.unref()
  }

  async withdraw(): Promise<void> {
    clearInterval(this.#timer)
    await removeHostInfo(this.#endpoint, this.#info.token)
  }

  /** Touches every file of the folder, and writes the entry again if it was removed. */
  async refresh(): Promise<void> {
    const { directory } = this.#endpoint
    if ((await readHostInfo(this.#endpoint)) === undefined) await writeHostInfo(this.#endpoint, this.#info)
    const now = new Date()
    for (const name of await readdir(directory)) await lutimes(join(directory, name), now, now).catch(this.#onError)
  }
}
