import { basename, resolve } from 'node:path'
import { readForeign } from '../files'
import { signalNumber, type ProcessIdentity, type ProcessTable } from '../processes'

/** The shells: they keep a trap until the command in the foreground has ended (POSIX, "Signals and Error Handling"). */
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'busybox', 'ksh', 'ksh93', 'mksh', 'zsh'])

/** A longer script is not read: its trap counts as unknown. */
const longestScript = 256 * 1024

/** A file system that does not answer must not hold a shutdown up. */
const readWithinMs = 500

/**
 * Whether a shell leaves once its trap for this signal has run, as its text shows: the last command of each such trap, or of the function
 * that it calls, is `exit`. False where that cannot be read or told: then the shell may go on with its next line.
 */
export async function leavesByTrap(shell: ProcessIdentity, signal: NodeJS.Signals, processes: ProcessTable): Promise<boolean> {
  const text = await textOf(shell, processes)
  return text !== undefined && everyTrapLeaves(text, signal)
}

/** The rule of {@link leavesByTrap} for the text of a script. */
export function everyTrapLeaves(text: string, signal: NodeJS.Signals): boolean {
  const names = new Set([signal, signal.replace(/^SIG/, ''), String(signalNumber(signal))])
  const actions: string[] = []
  for (const [, single, double, word, conditions = ''] of text.matchAll(/(?<![\w$-])trap\s+(?:--\s+)?(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*))((?:[ \t]+[A-Za-z0-9]+)+)/g)) {
    if (conditions.trim().split(/\s+/).some((name) => names.has(name.toUpperCase()))) actions.push(single ?? double ?? word ?? '')
  }
  return actions.length > 0 && actions.every((action) => endsWithExit(action) || endsWithExit(bodyOf(action.trim(), text) ?? ''))
}

function endsWithExit(commands: string): boolean {
  const last = commands.split(/[;\n]/).map((command) => command.replace(/(?<!\S)#.*/, '').trim()).findLast((command) => command !== '')
  return last !== undefined && /^exit(?:\s+\S+)?$/.test(last)
}

/** Of a function on one line, or one whose brace closes at the start of a line. */
function bodyOf(name: string, text: string): string | undefined {
  if (!/^[A-Za-z_]\w*$/.test(name)) return undefined
  const head = new RegExp(`(?:^|[;\\n])[ \\t]*(?:function[ \\t]+)?${name}[ \\t]*(?:\\([ \\t]*\\))?[ \\t\\n]*\\{`).exec(text)
  if (head === null) return undefined
  const rest = text.slice(head.index + head[0].length)
  const firstLine = rest.slice(0, !rest.includes('\n') ? rest.length : rest.indexOf('\n'))
  const end = firstLine.includes('}') ? firstLine.lastIndexOf('}') : rest.search(/^\}/m)
  return end === -1 ? undefined : rest.slice(0, end)
}

/** The text that a shell runs: the argument of `-c`, or its script. */
async function textOf(shell: ProcessIdentity, processes: ProcessTable): Promise<string | undefined> {
  // Not the kernel's short name, which is that of the script where the shell was found by its first line.
  const [program = '', ...args] = (await processes.commandLine(shell)) ?? []
  if (!shells.has(basename(program).replace(/^-/, ''))) return undefined
  const first = args.findIndex((arg) => !/^[-+]/.test(arg))
  if (first === -1) return undefined
  const isText = args.slice(0, first).some((arg) => /^-[A-Za-z]*c/.test(arg))
  const word = args[first] ?? ''
  if (isText) return word
  const directory = await processes.workingDirectory(shell)
  if (directory === undefined) return undefined
  const answer = await readForeign({ kind: 'text', path: resolve(directory, word), mostBytes: longestScript }, { deadlineMs: readWithinMs })
  return answer.kind === 'text' ? answer.text : undefined
}
