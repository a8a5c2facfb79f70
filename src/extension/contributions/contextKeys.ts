import { commands } from 'vscode'
import type { ContextKey, ContextKeyValues } from './contextKeyNames'

/** The one place that sets context keys; a value that did not change is not sent again. */
export class ContextKeys {
  readonly #sent = new Map<ContextKey, ContextKeyValues[ContextKey]>()

  set<K extends ContextKey>(key: K, value: ContextKeyValues[K]): void {
    if (this.#sent.get(key) === value) return
    this.#sent.set(key, value)
    void commands.executeCommand('setContext', key, value)
  }

  /** Takes every key back, so that a disabled extension leaves no menu entry enabled. */
  dispose(): void {
    for (const key of this.#sent.keys()) void commands.executeCommand('setContext', key, undefined)
    this.#sent.clear()
  }
}
