import { messageOf } from '../outcomes/attemptOutcome'
import type { RunContext } from './runContext'

/** Work whose result is not waited for: a failure (no file descriptors left, say) is a warning, and ends no process. */
export class BackgroundWork {
  readonly #pool: Pick<RunContext, 'id' | 'settings'>
  #warned = false

  constructor(pool: Pick<RunContext, 'id' | 'settings'>) {
    this.#pool = pool
  }

  /** @param failed Called when the shutdown could not be tried. */
  shutdown(work: Promise<unknown>, failed?: () => void): void {
    work.catch((error: unknown) => {
      this.failed('a shutdown', error)
      failed?.()
    })
  }

  /** Warns once for a pool: a fault that meets one worker meets the next in the same way. */
  failed(work: string, error: unknown): void {
    if (this.#warned) return
    this.#warned = true
    const { id, settings } = this.#pool
    process.emitWarning(`${work} of ${settings.name} (${id}) failed: ${messageOf(error)}`, { type: 'UnhangWarning' })
  }
}
