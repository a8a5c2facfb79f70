import { baseName } from './baseName'
import { commandIndex, launchedIndex, launcherOf, operandIndex, type Launcher } from './launchers'
import { splitCommandLine } from './splitCommandLine'

/**
 * The command line of the program that is wanted, without what starts it: `python3 a.py` of `env X=1 timeout 5 python3
 * a.py`. Where a launcher chooses the Python on its own (`uv run a.py`, `py -3 a.py`), the interpreter is `python`.
 * The command line itself when there is no launcher, or nothing behind it.
 */
export function launchedCommand(argv: readonly string[]): readonly string[] {
  const own = commandIndex(argv, 0)
  let command = own < argv.length ? argv.slice(own) : argv
  for (;;) {
    const next = behindLauncher(command)
    if (next === undefined || next.length === 0) return command
    command = next
  }
}

function behindLauncher(argv: readonly string[]): readonly string[] | undefined {
  const [program = ''] = argv
  const name = baseName(program).replace(/\.exe$/i, '')
  if (/^pyw?$/i.test(name)) return ['python', ...argv.slice(/^-(?:\d|V:)/.test(argv[1] ?? '') ? 2 : 1)]
  const launcher = launcherOf(program)
  if (launcher === undefined) return undefined
  if (name === 'env') return behindEnv(argv, launcher)
  const index = launchedIndex(argv, 0, launcher)
  if (name === 'uv') return behindUv(argv, launcher, index)
  return index === undefined ? undefined : argv.slice(index)
}

/** `env -S 'python3 -u' a.py` makes words of one argument, and a lone `-` is an option of `env`. */
function behindEnv(argv: readonly string[], launcher: Launcher): readonly string[] | undefined {
  const end = operandIndex(argv, 0, launcher)
  for (let at = 1; at < Math.min(end, argv.length); at += 1) {
    const split = /^(?:-[iv0]*S|--split-string(?:=|$))([^]*)$/.exec(argv[at] ?? '')?.[1]
    if (split === undefined) continue
    const apart = split === '' && argv[at] !== '--split-string='
    const words = splitCommandLine(apart ? (argv[at + 1] ?? '') : split)
    // What is split takes the place of the option, so it may hold further options of `env`.
    return ['env', ...words, ...argv.slice(at + (apart ? 2 : 1))]
  }
  const command = commandIndex(argv, argv[end] === '-' ? end + 1 : end)
  return command < argv.length ? argv.slice(command) : undefined
}

/** `uv run a.py`, `uv run -s a` and `uv run -m module` run a Python of uv's choice; all else is a command. */
function behindUv(
  argv: readonly string[],
  launcher: Launcher,
  index: number | undefined,
): readonly string[] | undefined {
  const verb = operandIndex(argv, 0, launcher)
  if (argv[verb] !== launcher.verb) return undefined
  const end = operandIndex(argv, verb, launcher)
  const options = argv.slice(verb + 1, end)
  const command = argv.slice(end)
  if (command.length === 0) return undefined
  if (options.some((option) => option === '--module' || /^-[a-zA-Z]*m$/.test(option)))
    return ['python', '-m', ...command]
  const isScript = options.some((option) => /^(?:--script|--gui-script|-[a-zA-Z]*s)$/.test(option))
  if (isScript || command[0] === '-' || /\.pyw?$|^https?:/i.test(command[0] ?? '')) return ['python', ...command]
  return index === undefined ? undefined : argv.slice(index)
}
