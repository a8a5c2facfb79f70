import type { Exit } from '../exitCodes'
import type { HostAccess } from '../hostAccess'
import type { Questions } from '../output/questions'
import type { Terminal } from '../output/terminal'

/** What every command works with. */
export interface CommandContext {
  readonly access: HostAccess
  readonly terminal: Terminal
  readonly questions: Questions
}

/** A command: does its work and tells the exit code, or the signal to end by. */
export type Command<Options extends readonly unknown[]> = (
  context: CommandContext,
  ...options: Options
) => Promise<Exit>

/** JSON as every `--json` prints it. What a terminal would take for a command is escaped, and the same to a parser. */
export function printJson(terminal: Terminal, value: unknown): void {
  const json = JSON.stringify(value, null, 2)
  terminal.print(json.replace(/[\u007f-\u009f]/g, (code) => `\\u00${code.charCodeAt(0).toString(16)}`))
}
