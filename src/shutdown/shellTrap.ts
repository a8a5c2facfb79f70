import { basename, resolve } from 'node:path'
import { forEachChild, parse } from 'unbash'
import type { Command, Function, Script, Statement, SyntaxNode } from 'unbash'
import { readForeign } from '../files'
import { signalNumber, type ProcessIdentity, type ProcessTable } from '../processes'

/** The shells: they keep a trap until the command in the foreground has ended (POSIX, "Signals and Error Handling"). */
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'busybox', 'ksh', 'ksh93', 'mksh', 'zsh'])

/** Commands that may set a trap which does not stand in the text. */
const readsMore: ReadonlySet<string> = new Set(['eval', 'source', '.'])

/** A longer script is not read: its trap counts as unknown. */
const longestScript = 256 * 1024

/** A file system that does not answer must not hold a shutdown up. */
const readWithinMs = 500

/**
 * Whether a shell leaves once its trap for this signal has run, as its text shows: the last command of each such trap,
 * or of the function that it calls, is `exit`. False where that cannot be read or told: then the shell may go on with
 * its next line.
 */
export async function leavesByTrap(
  shell: ProcessIdentity,
  signal: NodeJS.Signals,
  processes: ProcessTable,
): Promise<boolean> {
  const text = await textOf(shell, processes)
  return text !== undefined && everyTrapLeaves(text, signal)
}

/** The rule of {@link leavesByTrap} for the text of a script. */
export function everyTrapLeaves(text: string, signal: NodeJS.Signals): boolean {
  const script = parse(text)
  if ((script.errors?.length ?? 0) > 0) return false
  const { commands, functions } = partsOf(script)
  if (commands.some(mayHideTrap)) return false
  const traps = commands.filter(({ name }) => name?.value === 'trap').map(wordsOf)
  const actions = traps.map((words) => (words === undefined ? undefined : actionFor(words, signal)))
  // One that cannot be told may be for this signal.
  if (actions.includes(undefined)) return false
  const own = actions.filter((action) => action !== undefined && action !== otherSignal)
  return own.length > 0 && own.every((action) => leaves(action, functions))
}

function mayHideTrap({ name, suffix }: Command): boolean {
  if (name === undefined || readsMore.has(name.value)) return name !== undefined
  if (name.value !== 'command' && name.value !== 'builtin') return false
  return suffix.some((word) => word.type === 'Word' && (word.value === 'trap' || readsMore.has(word.value)))
}

/** A trap for other signals alone. */
const otherSignal = Symbol('other signal')

/** What `trap` does at this signal; undefined where its words do not tell. */
function actionFor(
  [first = '', ...rest]: readonly string[],
  signal: NodeJS.Signals,
): string | typeof otherSignal | undefined {
  const [action, ...conditions] = first === '--' ? rest : [first, ...rest]
  if (action === undefined || conditions.length === 0) return undefined
  const names = new Set([signal, signal.replace(/^SIG/, ''), String(signalNumber(signal))])
  return conditions.some((name) => names.has(name.toUpperCase())) ? action : otherSignal
}

/** The words after the command's name; undefined when one of them is made when it runs. */
function wordsOf({ suffix }: Command): string[] | undefined {
  const words = suffix.map((word) =>
    word.type === 'Word' &&
    (word.parts ?? []).every(
      (part) =>
        part.type === 'Literal' ||
        part.type === 'SingleQuoted' ||
        (part.type === 'DoubleQuoted' && part.parts.every(({ type }) => type === 'Literal')),
    )
      ? word.value
      : undefined,
  )
  return words.includes(undefined) ? undefined : words.filter((word) => word !== undefined)
}

function leaves(action: string | symbol | undefined, functions: ReadonlyMap<string, Function | undefined>): boolean {
  if (typeof action !== 'string') return false
  const script = parse(action)
  if ((script.errors?.length ?? 0) > 0) return false
  if (endsWithExit(script.commands)) return true
  const only = script.commands.length === 1 ? plainCommand(script.commands[0]) : undefined
  const called = only?.name === undefined ? undefined : functions.get(only.name.value)
  return called?.body.type === 'BraceGroup' && endsWithExit(called.body.body.commands)
}

/** An `exit` that nothing but an earlier end keeps from running: not behind `&&`, in a subshell or a pipeline. */
function endsWithExit(statements: readonly Statement[]): boolean {
  const returns = statements.some(({ command }) =>
    partsOf(command).commands.some(({ name }) => name?.value === 'return'),
  )
  return !returns && plainCommand(statements.at(-1))?.name?.value === 'exit'
}

function plainCommand(statement: Statement | undefined): Command | undefined {
  return statement?.command.type === 'Command' && statement.background !== true ? statement.command : undefined
}

/** All simple commands and functions, wherever they stand; a name that is defined twice is none. */
function partsOf(root: Script | SyntaxNode): { commands: Command[]; functions: Map<string, Function | undefined> } {
  const commands: Command[] = []
  const functions = new Map<string, Function | undefined>()
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'Command') commands.push(node)
    if (node.type === 'Function') functions.set(node.name.value, functions.has(node.name.value) ? undefined : node)
    forEachChild(node, visit)
  }
  visit(root)
  return { commands, functions }
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
  const answer = await readForeign(
    { kind: 'text', path: resolve(directory, word), mostBytes: longestScript },
    { deadlineMs: readWithinMs },
  )
  return answer.kind === 'text' ? answer.text : undefined
}
