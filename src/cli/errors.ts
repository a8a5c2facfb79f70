import { exitCodes, type ExitCode } from './exitCodes'

/** Something a user can act on. `message` says what happened and to what, `details` (one a line) what to do about it. */
export class CliError extends Error {
  override readonly name: string = 'CliError'

  constructor(
    message: string,
    readonly details: readonly string[] = [],
    readonly exitCode: ExitCode = exitCodes.failure,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** POOL|PID names nothing, or more than one thing. */
export class TargetError extends CliError {
  override readonly name = 'TargetError'
}

/** The text of an error for a terminal: no stack, details indented below. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const details = error instanceof CliError ? error.details : []
  return [`unhang: ${message}`, ...details.map((line) => `  ${line}`), ''].join('\n')
}
