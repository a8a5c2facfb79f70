import { launchedIndex, launcherOf, operandIndex, type Launcher } from '../../processes'
import { codeAt, notPlain, nothing, textsOf, type CodeReading, type ReadCode, type Word } from './codeWords'

/** `-c`, or a cluster that ends with it: what follows is a script. Without it only flock starts a command of its own. */
const withScript: ReadonlySet<string> = new Set(['flock', 'runuser', 'script', 'su'])
/** Starts its command once for some lines of its standard input. */
const xargs: Launcher = {
  valued: 'EILPadns',
  valuedLong: ['arg-file', 'delimiter', 'max-args', 'max-procs', 'max-chars', 'max-lines', 'replace'],
}

/** Code of the command behind a program that starts another one; undefined for any other program. */
export function launcherReading(
  words: readonly Word[],
  reader: number,
  name: string,
  read: ReadCode,
): CodeReading | undefined {
  if (withScript.has(name)) {
    const option = words.findIndex(
      ({ text }, index) => index > reader && (text === '--command' || /^-[A-Za-z]*c$/.test(text)),
    )
    if (option >= 0) return codeAt(words, option + 1, 'joined', reader, true)
    if (name !== 'flock') return nothing
  }
  const launcher = name === 'xargs' ? xargs : launcherOf(name)
  if (launcher === undefined) return undefined
  const split = name === 'env' ? splitReading(words, reader, launcher, read) : undefined
  if (split !== undefined) return split
  const command = launchedIndex(textsOf(words), reader, launcher)
  if (command === undefined) return nothing
  const reading = read(words, command)
  // What xargs reads comes behind the arguments.
  return name === 'xargs' ? { ...reading, arguments: reading.arguments.map(notPlain) } : reading
}

/** `env -S 'sh -c' …` makes words of one argument; undefined without that option. */
function splitReading(words: readonly Word[], reader: number, env: Launcher, read: ReadCode): CodeReading | undefined {
  const end = operandIndex(textsOf(words), reader, env)
  for (let at = reader + 1; at < words.length && at <= end; at++) {
    const word = words[at]
    const [, option, attached = ''] = /^(-[A-Za-z0]*?S|--split-string(?:=|$))([^]*)$/.exec(word?.text ?? '') ?? []
    if (option === undefined) continue
    const apart = attached === '' && option !== '--split-string='
    const from = apart ? at + 1 : at
    const value = apart ? words[from] : { text: attached, holdsItem: word?.holdsItem === true }
    if (value === undefined) return nothing
    // The item becomes as many words as it has, and the first of them may name any program.
    if (value.holdsItem) return codeAt(words, from, 'other', reader, false)
    const parts = value.text
      .split(/\s+/)
      .filter((part) => part !== '')
      .map((part) => ({ text: part.replaceAll(/["']/g, ''), holdsItem: false }))
    const shift = from + 1 - parts.length
    const inside = read([...parts, ...words.slice(from + 1)], 0)
    return {
      arguments: inside.arguments
        .filter(({ index }) => index >= parts.length)
        .map((one) => ({ ...one, index: one.index + shift, reader, plain: false })),
      input: inside.input === undefined ? undefined : reader,
    }
  }
  return undefined
}
