import type { ThemeIcon } from 'vscode'

/** A question before work is destroyed. */
export interface Confirmation {
  readonly message: string
  readonly detail: string
  /** The button that goes on; the other one is Cancel. */
  readonly action: string
}

/** One line of a picker. */
export interface Choice<T> {
  readonly label: string
  readonly description?: string
  readonly detail?: string
  readonly iconPath?: ThemeIcon
  readonly value: T
}

export interface PickOptions {
  readonly title: string
  readonly placeholder: string
}

export type Severity = 'info' | 'warning' | 'error'

/**
 * Everything we ask or tell outside our views. An interface, because VS Code's test mode refuses modal dialogs and hides
 * notifications: extension-host tests answer here instead.
 */
export interface Prompts {
  confirm(confirmation: Confirmation): Promise<boolean>
  /** Undefined when the person escaped. */
  pickOne<T>(choices: Promise<readonly Choice<T>[]> | readonly Choice<T>[], options: PickOptions): Promise<T | undefined>
  /** The action that was chosen, undefined when the notification was closed. */
  notify(severity: Severity, message: string, actions: readonly string[]): Promise<string | undefined>
}
