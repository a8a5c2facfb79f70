#!/usr/bin/env node
import { constants } from 'node:os'
import { CommanderError } from 'commander'
import { errorText } from './errors'
import { exitCodes, type Exit } from './exitCodes'
import { Terminal } from './output/terminal'
import { buildProgram } from './program'

/** Runs one command line and returns how it ends. */
async function main(argv: readonly string[]): Promise<Exit> {
  const terminal = new Terminal(process.stdout, process.stderr, process.env)
  let exit: Exit = exitCodes.ok
  try {
    await buildProgram(terminal, (told) => {
      exit = told
    }).parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already said what is wrong; its 0 is for --help and --version.
      exit = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    } else {
      terminal.note(errorText(error))
      exit = exitCodes.failure
      if (process.env.UNHANG_DEBUG && error instanceof Error) terminal.note(error.stack ?? '')
    }
  }
  await terminal.drained()
  return exit
}

void main(process.argv).then((exit) => {
  process.exitCode = typeof exit === 'number' ? exit : 128 + constants.signals[exit]
  // Nothing of ours handles signals any more: this ends the process, and its shell sees the same as without us.
  if (typeof exit === 'string') process.kill(process.pid, exit)
})
