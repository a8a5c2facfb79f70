import { Command as Program, InvalidArgumentError, Option } from 'commander'
import { version } from '../../package.json'
import type { Command, CommandContext } from './commands/context'
import { hostStatus, hostStop } from './commands/host'
import { pool } from './commands/pool'
import { ps } from './commands/ps'
import { shutdown, type ShutdownOptions } from './commands/shutdown'
import type { ExitCode } from './exitCodes'
import { HostAccess } from './hostAccess'
import type { Terminal } from './output/terminal'

const examples = `
Examples:
  unhang pool "Word count"      launch a pool of .vscode/tasks.json and follow it
  unhang ps                     in another terminal: what runs, and what is stuck
  unhang terminate 4711         end one worker; the pool goes on
  unhang kill Stuck             end a pool with SIGKILL

Exit codes: 0 done; 1 not done, or not all of it; 2 the command line was wrong.`

/** The command line: every command, option and help text. `finish` is told the exit code of the command that ran. */
export function buildProgram(terminal: Terminal, finish: (exitCode: ExitCode) => void): Program {
  const program = new Program('unhang')
    .description('See why a process pool hangs, and end it.')
    .version(version)
    .option('-w, --workspace <dir>', 'folder to work on (default: the nearest parent with .vscode or .git)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => { terminal.print(text.trimEnd()) },
      writeErr: (text) => { terminal.note(text.trimEnd()) },
      outputError: (text, write) => { write(text.replace(/^error:/, 'unhang:')) },
    })
    .exitOverride()
    .addHelpText('after', examples)

  async function run<Options extends readonly unknown[]>(command: Command<Options>, ...options: Options): Promise<void> {
    const { workspace } = program.opts<{ workspace?: string }>()
    const context: CommandContext = { access: new HostAccess(workspace), terminal }
    finish(await command(context, ...options))
  }

  program.command('pool')
    .description('launch a pool task of .vscode/tasks.json and follow it to its end')
    .argument('<label>', 'the label of the task')
    .option('-d, --detach', 'return at once and print the pool\'s id')
    .addHelpText('after', '\nCtrl-C terminates the pool, a second one kills it. A closed terminal leaves it running.\nExit code 0 only when every task is done.')
    .action((label: string, options: { detach?: true }) => run(pool, label, options))

  program.command('ps')
    .description('show the pools, their workers and the task each one is in')
    .option('-a, --all', 'show pools that have ended and workers that have exited, too')
    .addOption(json())
    .action((options: { all?: true; json?: true }) => run(ps, options))

  const shutdowns = { terminate: 'end a pool or one worker (SIGTERM)', kill: 'end a pool or one worker with SIGKILL' } as const
  for (const mode of ['terminate', 'kill'] as const) {
    program.command(mode)
      .description(shutdowns[mode])
      .argument('<pool|pid>', 'a pool\'s id or name, or a worker\'s pid')
      .addOption(new Option('--grace-ms <n>', 'longest wait after each step, in milliseconds (default: the pool\'s own, 100)').argParser(graceMs))
      .option('--sigkill', mode === 'kill' ? 'implied by kill' : 'SIGKILL what is left after SIGTERM')
      .addOption(json())
      .addHelpText('after', '\nPrints what could not be ended, one a line; exit code 1 if there is anything.')
      .action((target: string, options: ShutdownOptions) => run(shutdown, mode, target, options))
  }

  const host = program.command('host').description('the background process that owns this workspace\'s pools')
  host.command('status').description('say whether it runs, since when, and with how many pools').addOption(json())
    .action((options: { json?: true }) => run(hostStatus, options))
  host.command('stop').description('end every pool, then the host').addOption(json())
    .action((options: { json?: true }) => run(hostStop, options))
  return program
}

function json(): Option {
  return new Option('--json', 'print JSON (a stable shape)')
}

/** An hour is the longest that the host accepts. */
const maxGraceMs = 3_600_000

function graceMs(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > maxGraceMs) {
    throw new InvalidArgumentError(`Write a whole number of milliseconds from 0 to ${maxGraceMs}.`)
  }
  return value
}
