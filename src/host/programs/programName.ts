import { basename } from 'node:path'

/** Options of interpreters whose value is the next argument, and not the program. */
const withValue: ReadonlySet<string> = new Set([
  '-W',
  '-X',
  '--check-hash-based-pycs',
  '-r',
  '--require',
  '--import',
  '--loader',
  '-C',
  '--conditions',
])
/** Options after which comes the program itself, as text. */
const inline: ReadonlySet<string> = new Set(['-c', '-e', '--eval', '-p', '--print'])

/** `train.py` of `python3 -u train.py --fast`, `pytest` of `python -m pytest`. */
export function programName(argv: readonly string[]): string {
  const [program = 'program', ...rest] = argv
  const name = basename(program)
  if (!/^(?:python|pypy|node|py)[\d.]*(?:\.exe)?$/.test(name)) return name
  for (let at = 0; at < rest.length; at += 1) {
    const argument = rest[at] ?? ''
    if (inline.has(argument)) return `${name} ${argument}`
    if (argument === '-m') return rest[at + 1] ?? name
    if (withValue.has(argument)) at += 1
    else if (!argument.startsWith('-')) return basename(argument)
  }
  return name
}
