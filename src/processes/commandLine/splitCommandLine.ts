import { parseArgsStringToArgv } from 'string-argv'

/**
 * The words of a command line that a person wrote, with quotes as in a shell; nothing is expanded, and operators of a
 * shell (`|`, `&&`) are words. For names and options only: what runs the line is a shell.
 */
export function splitCommandLine(line: string): string[] {
  return parseArgsStringToArgv(line)
}
