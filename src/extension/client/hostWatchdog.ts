import { DisposableStore, disposableInterval, type Disposable } from '../lifecycle'
import { isHostTimeout, type HostConnection, type HungHost } from './connection'

/** How often a connected host is asked for a sign of life (as VS Code's ptyHost is: `src/vs/platform/terminal`). */
const heartbeatMs = 5_000
/** It answers within milliseconds; what takes longer than this hangs, as far as a person is concerned. */
const answerMs = 2_000
/** One that was told of is not asked again and again: the one sign of life that is still due comes when it goes on. */
const patienceMs = 2_147_483_647

export interface HostWatchdogOptions {
  readonly connection: Pick<HostConnection, 'request'>
  /** Asks the system how the host's process is; undefined when there is none, or nothing tells. */
  readonly look: () => Promise<HungHost | undefined>
  readonly onHung: (host: HungHost) => void
  /** It answers again. */
  readonly onHeard: () => void
  readonly log: (message: string) => void
  readonly heartbeatMs?: number
  readonly answerMs?: number
}

/**
 * Notices that a host which is connected does not answer any more. A first sign of life that does not come is only
 * logged, as the machine may be busy; a second one, or a process that is stopped, is told.
 */
export class HostWatchdog implements Disposable {
  readonly #options: HostWatchdogOptions
  readonly #owned = new DisposableStore()
  #isChecking = false

  constructor(options: HostWatchdogOptions) {
    this.#options = options
    this.#owned.add(
      disposableInterval(() => {
        this.check()
      }, options.heartbeatMs ?? heartbeatMs),
    )
  }

  /** Asks for a sign of life now, because something else was not answered. */
  check(): void {
    if (this.#isChecking) return
    this.#isChecking = true
    void this.#check().finally(() => {
      this.#isChecking = false
    })
  }

  dispose(): void {
    this.#owned.dispose()
  }

  async #check(): Promise<void> {
    const { answerMs: limitMs = answerMs, log, onHung, onHeard } = this.#options
    if ((await this.#ask(limitMs)) !== 'silent') return
    log('The host did not answer a sign of life in time.')
    const first = await this.#look()
    if (first?.state !== 'stopped' && (await this.#ask(limitMs)) !== 'silent') return
    const host = first ?? (await this.#look())
    // Without a process the connection is about to be lost, and that is the supervisor's to handle.
    if (host === undefined || this.#owned.disposed) return
    onHung(host)
    if ((await this.#ask(patienceMs)) === 'answered') onHeard()
  }

  /** `over`: the connection has ended, or is not ours to watch any more. */
  async #ask(timeoutMs: number): Promise<'answered' | 'silent' | 'over'> {
    let answer: 'answered' | 'silent' | 'over' = 'answered'
    try {
      await this.#options.connection.request('unhang/ping', {}, { timeoutMs })
    } catch (error) {
      answer = isHostTimeout(error) ? 'silent' : 'over'
    }
    return this.#owned.disposed ? 'over' : answer
  }

  async #look(): Promise<HungHost | undefined> {
    try {
      return await this.#options.look()
    } catch (error) {
      this.#options.log(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }
}
