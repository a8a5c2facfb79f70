import { baseName } from './baseName'
import { launchedCommand } from './launchedCommand'
import { nodeCommand } from './nodeCommand'
import { pythonCommand } from './pythonCommand'
import { splitCommandLine } from './splitCommandLine'

/**
 * What a person calls a program: `train.py` for `python3 -u train.py --fast`, `pytest` for `python -m pytest`, `python3
 * -c` for code, `run.sh` for `nice ./run.sh`. `program` for an empty command line.
 */
export function programName(argv: readonly string[]): string {
  const launched = launchedCommand(argv)
  const program = baseName(launched[0] ?? '') || 'program'
  const target = (pythonCommand(launched) ?? nodeCommand(launched))?.target
  switch (target?.kind) {
    case 'script':
      return baseName(target.path)
    case 'module':
      return target.name
    case 'code':
      return `${program} ${target.option}`
    case 'input':
    case undefined:
      return program
  }
}

/** Name of a command that a pool runs for each item: base name of its first word, `command` when it is empty. */
export function commandName(command: string | readonly string[]): string {
  const argv = typeof command === 'string' ? splitCommandLine(command) : command
  return baseName(argv[0] ?? '') || 'command'
}
