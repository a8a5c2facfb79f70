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

/** A heading between the lines of a picker. */
export interface ChoiceHeading {
  readonly heading: string
}

export interface PickOptions {
  readonly title: string
  readonly placeholder: string
}

export interface InputOptions {
  readonly title: string
  readonly prompt: string
  readonly placeholder: string
  readonly value: string
}

/** Lines that change while the picker is open: calls back at once or later, and again, until it is disposed. */
export type LiveChoices<T> = (show: (lines: readonly (Choice<T> | ChoiceHeading)[]) => void) => { dispose(): void }

export type Severity = 'info' | 'warning' | 'error'

/**
 * Everything we ask or tell outside our views. An interface, because VS Code's test mode refuses modal dialogs and
 * hides notifications: extension-host tests answer here instead.
 */
export interface Prompts {
  confirm(confirmation: Confirmation): Promise<boolean>
  /** Undefined when the person escaped. */
  pickOne<T>(
    choices: Promise<readonly Choice<T>[]> | readonly Choice<T>[],
    options: PickOptions,
  ): Promise<T | undefined>
  /** Any number of them, all chosen at first; undefined when the person escaped. */
  pickMany<T>(choices: readonly Choice<T>[], options: PickOptions): Promise<readonly T[] | undefined>
  /**
   * A picker that is there at once, busy until there are lines, and follows them; undefined when the person escaped.
   */
  pickLive<T>(choices: LiveChoices<T>, options: PickOptions): Promise<T | undefined>
  /** A line of text; undefined when the person escaped or left it empty. */
  input(options: InputOptions): Promise<string | undefined>
  /** The action that was chosen, undefined when the notification was closed. */
  notify(severity: Severity, message: string, actions: readonly string[]): Promise<string | undefined>
}
