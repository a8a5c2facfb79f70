import type { CommandTarget, InterpreterCommand, InterpreterOption } from './interpreterCommand'
import { interpreterKind } from './interpreterKind'

/** Long options whose value is the next argument, never behind `=`. The second one is PyPy's. */
export const pythonOptionsWithValue: ReadonlySet<string> = new Set(['--check-hash-based-pycs', '--jit'])

/**
 * Takes the command line of a Python apart, by the rules of CPython's Python/getopt.c and Python/initconfig.c; undefined
 * when the first argument is no Python. What starts the Python (`env`, `timeout`) is for `launchedCommand`.
 */
export function pythonCommand(argv: readonly string[]): InterpreterCommand | undefined {
  const [interpreter, ...words] = argv
  if (interpreter === undefined || interpreterKind(interpreter) !== 'python') return undefined
  const options: InterpreterOption[] = []
  const command = (target: CommandTarget, next: number): InterpreterCommand => ({
    interpreter,
    options,
    target,
    args: words.slice(next),
  })
  let at = 0
  for (; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') break
    if (word === '--') {
      at += 1
      break
    }
    if (word.startsWith('--')) {
      options.push(pythonOptionsWithValue.has(word) ? { name: word, value: words[(at += 1)] ?? '' } : { name: word })
      continue
    }
    for (let index = 1; index < word.length; index += 1) {
      const letter = word.charAt(index)
      if (!'cmWX'.includes(letter)) {
        options.push({ name: `-${letter}` })
        continue
      }
      // The value is the rest of the word, else the next argument.
      const value = index + 1 < word.length ? word.slice(index + 1) : words[(at += 1)]
      if (letter === 'c' || letter === 'm') {
        if (value === undefined) return command({ kind: 'input' }, words.length)
        const target: CommandTarget =
          letter === 'm' ? { kind: 'module', name: value } : { kind: 'code', option: '-c', code: value }
        return command(target, at + 1)
      }
      options.push({ name: `-${letter}`, value: value ?? '' })
      break
    }
  }
  const script = words[at]
  return script === undefined || script === '-'
    ? command({ kind: 'input' }, at + 1)
    : command({ kind: 'script', path: script }, at + 1)
}
