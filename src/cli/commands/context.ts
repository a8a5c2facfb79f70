import type { ExitCode } from '../exitCodes'
import type { HostAccess } from '../hostAccess'
import type { Terminal } from '../output/terminal'

/** What every command works with. */
export interface CommandContext {
  readonly access: HostAccess
  readonly terminal: Terminal
}

/** A command: does its work and tells the exit code. */
export type Command<Options extends readonly unknown[]> = (context: CommandContext, ...options: Options) => Promise<ExitCode>

/** JSON as every `--json` prints it. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(JSON.stringify(value, null, 2))
}
