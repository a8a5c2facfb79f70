import { plainText } from '../words'

/**
 * Something a user can act on. `message` says what happened and to what, `details` (one a line) what to do about it.
 */
export class CliError extends Error {
  override readonly name: string = 'CliError'

  constructor(
    message: string,
    readonly details: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** POOL|PID names nothing, or more than one thing. */
export class TargetError extends CliError {
  override readonly name = 'TargetError'
}

/** A definition in tasks.json that cannot run: each problem with the key it is at. */
export class DefinitionError extends CliError {
  override readonly name = 'DefinitionError'

  constructor(
    readonly label: string,
    readonly problems: readonly { readonly key: string; readonly message: string }[],
    options?: ErrorOptions,
  ) {
    super(
      `pool "${label}" cannot run:`,
      problems.map(({ key, message }) => (message.includes(key) ? message : `${key}: ${message}`)),
      options,
    )
  }
}

/** The text of an error for a terminal: no stack, details indented below, no line feed at the end. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const details = error instanceof CliError ? error.details : []
  return [`unhang: ${message}`, ...details.map((line) => `  ${line}`)].map(plainText).join('\n')
}
