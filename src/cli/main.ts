#!/usr/bin/env node
import { CommanderError } from 'commander'
import { errorText } from './errors'
import { exitCodes, type ExitCode } from './exitCodes'
import { Terminal } from './output/terminal'
import { buildProgram } from './program'

/** Runs one command line and returns its exit code. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  const terminal = new Terminal(process.stdout, process.stderr, process.env)
  let exitCode: ExitCode = exitCodes.ok
  try {
    await buildProgram(terminal, (code) => { exitCode = code }).parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already said what is wrong; its 0 is for --help and --version.
      exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    } else {
      terminal.note(errorText(error))
      exitCode = exitCodes.failure
      if (process.env.UNHANG_DEBUG && error instanceof Error) terminal.note(error.stack ?? '')
    }
  }
  await terminal.drained()
  return exitCode
}

void main(process.argv).then((exitCode) => {
  process.exitCode = exitCode
})
