import { TerminalExitReason, window } from 'vscode'
import { DisposableStore, Emitter, disposableTimeout, type Disposable } from '../lifecycle'

/**
 * How long after a terminal closed VS Code may take to say why. It says so right away; this only bounds the wait where
 * it says nothing, and a person who closed the terminal waits no longer than this for the pool to end.
 */
const reasonTimeoutMs = 1_000

/**
 * Tells a terminal that somebody closed from one that closes because its window reloads or closes: VS Code calls a
 * pseudoterminal's `close()` in both cases, and only the pools of the first are to end.
 */
export class WindowLifetime implements Disposable {
  readonly #reason = new Emitter<'window' | 'terminal'>()
  readonly #owned = new DisposableStore()
  #goingAway = false

  constructor() {
    this.#owned.add(this.#reason)
    this.#owned.add(
      window.onDidCloseTerminal((terminal) => {
        if (terminal.exitStatus?.reason === TerminalExitReason.Shutdown) this.leave()
        else this.#reason.fire('terminal')
      }),
    )
  }

  get goingAway(): boolean {
    return this.#goingAway
  }

  /** The window goes away (the extension is being deactivated). */
  leave(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    this.#reason.fire('window')
  }

  /** Asked when a terminal closed: true when the window goes with it. */
  async closesWithWindow(): Promise<boolean> {
    if (this.#goingAway) return true
    return new Promise((resolve) => {
      const done = new DisposableStore()
      const give = (answer: boolean): void => {
        done.dispose()
        resolve(answer)
      }
      done.add(
        this.#reason.event((reason) => {
          give(reason === 'window')
        }),
      )
      done.add(
        disposableTimeout(() => {
          give(this.#goingAway)
        }, reasonTimeoutMs),
      )
    })
  }

  dispose(): void {
    this.#owned.dispose()
  }
}
