import { Command as Program, InvalidArgumentError, Option } from 'commander'
import { version } from '../../package.json'
import { longestTimerMs, type WatchOptions } from '../protocol'
import { attach } from './commands/attach'
import type { Command, CommandContext } from './commands/context'
import { hostStatus, hostStop } from './commands/host'
import { pool } from './commands/pool'
import { ps } from './commands/ps'
import { rescue, type RescueOptions } from './commands/rescue'
import { run as runProgram } from './commands/run'
import { shutdown, type ShutdownOptions } from './commands/shutdown'
import { stacks } from './commands/stacks'
import { why } from './commands/why'
import { pidIn } from './ending/targets'
import type { Exit } from './exitCodes'
import { HostAccess } from './hostAccess'
import { TerminalQuestions } from './output/questions'
import type { Terminal } from './output/terminal'

const examples = `
Examples:
  unhang run -- python train.py your own program, unchanged and watched
  unhang why                    in another terminal: what is stuck, why, and what to do
  unhang rescue train.py:42     let a program that waits for ever go on
  unhang pool "Word count"      launch a pool of .vscode/tasks.json and follow it
  unhang ps                     what runs, and what is stuck
  unhang terminate 4711         end one worker; the pool goes on
  unhang kill Stuck             end a pool with SIGKILL

Exit codes: 0 done; 1 not done, or not all of it; 2 the command line was wrong.`

/** The command line: every command, option and help text. `finish` is told how the command that ran ends. */
export function buildProgram(terminal: Terminal, finish: (exit: Exit) => void): Program {
  const program = new Program('unhang')
    .description('See why a process pool hangs, and end it.')
    .version(version)
    .option('-w, --workspace <dir>', 'folder to work on (default: the nearest parent with .vscode or .git)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => {
        terminal.print(text.trimEnd())
      },
      writeErr: (text) => {
        terminal.note(text.trimEnd())
      },
      outputError: (text, write) => {
        write(text.replace(/^error:/, 'unhang:'))
      },
    })
    .exitOverride()
    .addHelpText('after', examples)

  async function run<Options extends readonly unknown[]>(
    command: Command<Options>,
    ...options: Options
  ): Promise<void> {
    const { workspace } = program.opts<{ workspace?: string }>()
    const context: CommandContext = {
      access: new HostAccess(workspace),
      terminal,
      questions: new TerminalQuestions(terminal),
    }
    finish(await command(context, ...options))
  }

  program
    .command('run')
    .usage('[options] -- PROGRAM ARGS…')
    .description('run a program of your own, watched: its pools, and why they hang')
    .argument('<program...>', 'the program and its arguments, after --')
    .addOption(
      new Option('--name <name>', "what it is called in `unhang ps` (default: the script's name)").argParser(
        nameArgument,
      ),
    )
    .addOption(
      new Option('--stuck-after-ms <n>', 'when a running task is looked at for a verdict (default: 30000)').argParser(
        wholeNumber('milliseconds', 1, longestTimerMs),
      ),
    )
    .addOption(
      new Option('--on-stuck <what>', 'what happens when it is stuck').choices(['flag', 'terminate', 'kill', 'retry']),
    )
    .option(
      '--no-arguments',
      'keep the arguments of tasks out of sight and memory (a lost task can then not run again)',
    )
    .addOption(
      new Option(
        '--stack-signal <n>',
        'signal that makes its Pythons write their stacks; 0: none (default: one that is free)',
      ).argParser(wholeNumber('', 0, 64)),
    )
    .addOption(graceOption('longest wait after each step of a shutdown, in milliseconds (default: 100)'))
    .option('--sigkill', '`unhang terminate` may go on to SIGKILL')
    .showHelpAfterError('(write -- before the program: unhang run -- python3 train.py --fast)')
    .addHelpText(
      'after',
      `
The program keeps this terminal, its environment and its pipes. The command ends as the program ends: with its exit
code, or by its signal. Stuck pools are reported on stderr. Without a host the program runs unobserved.
127: no such program; 126: not executable.`,
    )
    .action((argv: string[], options: RunOptions) => run(runProgram, argv, watchOptions(options)))

  program
    .command('why')
    .description('say what is stuck, why, and what to do')
    .argument('[pool|pid]', "a pool's id or name, or the pid of a worker or a program (default: everything)")
    .addOption(json())
    .addHelpText('after', '\nExit code 1 when something is stuck, 0 when nothing is.')
    .action((target: string | undefined, options: { json?: true }) => run(why, target, options))

  program
    .command('stacks')
    .description('show what each thread of a worker or a watched program is doing')
    .argument('<pid>', 'its pid', pidArgument)
    .addOption(json())
    .action((pid: number, options: { json?: true }) => run(stacks, pid, options))

  program
    .command('rescue')
    .description('let a pool that waits for ever go on')
    .argument('<pool>', "a pool's id or name, or that of its program")
    .addOption(new Option('--fail', 'lost tasks: the program gets an exception').conflicts('retry'))
    .option('--retry', 'lost tasks: they run again')
    .option('--task <id>', 'only this task')
    .option('-y, --yes', 'do it without asking')
    .addHelpText(
      'after',
      `
Fails lost tasks or runs them again, releases queue locks whose holder is dead, continues stopped workers. Shows
the plan and asks; each step is done only if its reason still holds at that moment. Exit code 1 unless all steps
were done.`,
    )
    .action((target: string, options: RescueOptions) => run(rescue, target, options))

  program
    .command('attach')
    .description('look at a program that runs already')
    .argument('<pid>', 'its pid', pidArgument)
    .option('-y, --yes', 'it may be ended: `terminate` and `kill` do not ask')
    .addHelpText('after', '\nNothing is sent to it before you have seen every pid and said yes.')
    .action((pid: number, options: { yes?: true }) => run(attach, pid, options))

  program
    .command('pool')
    .description('launch a pool task of .vscode/tasks.json and follow it to its end')
    .argument('<label>', 'the label of the task')
    .option('-d, --detach', "return at once and print the pool's id")
    .addHelpText(
      'after',
      '\nCtrl-C terminates the pool, a second one kills it. A closed terminal leaves it running.\nExit code 0 ' +
        'only when every task is done.',
    )
    .action((label: string, options: { detach?: true }) => run(pool, label, options))

  program
    .command('ps')
    .description('show the pools, their workers and the task each one is in')
    .option('-a, --all', 'show pools that have ended and workers that have exited, too')
    .addOption(json())
    .action((options: { all?: true; json?: true }) => run(ps, options))

  const shutdowns = {
    terminate: 'end a pool, a program or one worker (SIGTERM)',
    kill: 'end a pool, a program or one worker with SIGKILL',
  } as const
  for (const mode of ['terminate', 'kill'] as const) {
    program
      .command(mode)
      .description(shutdowns[mode])
      .argument('<pool|pid>', "a pool's or program's id or name, or the pid of a worker or a program")
      .addOption(graceOption("longest wait after each step, in milliseconds (default: the pool's own, 100)"))
      .option('--sigkill', mode === 'kill' ? 'implied by kill' : 'SIGKILL what is left after SIGTERM')
      .option('-y, --yes', 'do not ask before an attached program is ended')
      .option(
        '-n, --dry-run',
        'say which processes would be signalled, in which order, and how each will answer; do nothing',
      )
      .addOption(json())
      .addHelpText(
        'after',
        '\nA program ends before the processes that it waits for, so none of its next lines runs.\nA pool inside ' +
          'a program ends with its program.\nPrints what could not be ended, one a line; exit code 1 if ' +
          'there is anything.',
      )
      .action((target: string, options: ShutdownOptions) => run(shutdown, mode, target, options))
  }

  const host = program.command('host').description("the background process that owns this workspace's pools")
  host
    .command('status')
    .description('say whether it runs, since when, and with how many pools')
    .addOption(json())
    .action((options: { json?: true }) => run(hostStatus, options))
  host
    .command('stop')
    .description('end the pools that it owns, then the host')
    .option('--force', 'SIGKILL to the host if it does not answer')
    .addOption(json())
    .addHelpText(
      'after',
      '\nPrograms that run in a terminal (`unhang run`), and attached ones, go on unwatched; it says ' +
        'which.\nPrints what could not be ended, too; exit code 1 if there is anything.',
    )
    .action((options: { json?: true; force?: true }) => run(hostStop, options))
  return program
}

function json(): Option {
  return new Option('--json', 'print JSON (a stable shape)')
}

/** An hour is the longest that the host accepts. */
const maxGraceMs = 3_600_000

function graceOption(description: string): Option {
  return new Option('--grace-ms <n>', description).argParser(wholeNumber('milliseconds', 0, maxGraceMs))
}

function wholeNumber(unit: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Write a whole number${unit === '' ? '' : ` of ${unit}`} from ${least} to ${most}.`)
  }
}

/** As long as the host takes it. */
const longestName = 200

function nameArgument(text: string): string {
  if (text === '--')
    throw new InvalidArgumentError('The name is missing: unhang run --name training -- python3 train.py')
  if (text === '' || text.length > longestName) throw new InvalidArgumentError(`Write 1 to ${longestName} characters.`)
  return text
}

function pidArgument(text: string): number {
  const pid = pidIn(text)
  if (pid === 1) throw new InvalidArgumentError('Process 1 is what all others descend from: it is never touched.')
  if (pid === undefined) throw new InvalidArgumentError('Write the pid of a process, such as 4711.')
  return pid
}

/** Options of `run` as commander has them. */
interface RunOptions {
  readonly name?: string
  readonly stuckAfterMs?: number
  readonly onStuck?: WatchOptions['onStuck']
  readonly arguments: boolean
  readonly stackSignal?: number
  readonly graceMs?: number
  readonly sigkill?: true
}

/** What is not given is left to the host. */
function watchOptions({ arguments: recordArguments, graceMs, sigkill, ...same }: RunOptions): WatchOptions {
  return {
    ...same,
    ...(recordArguments ? {} : { recordArguments }),
    ...(graceMs === undefined ? {} : { gracePeriodMs: graceMs }),
    ...(sigkill ? { useSigkill: true } : {}),
  }
}
