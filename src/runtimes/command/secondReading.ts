import { codeReading } from './codeArguments'
import type { CodeArgument, Language, Word } from './codeWords'
import { envReferences } from './shellContext'
import { commandsOf } from './shellCommands'
import type { ScriptCommand, ScriptWord } from './shellCommands'

/** `${item}` stands where a program reads it as code: an item that is `$(touch x)` would run. */
export interface SecondReading {
  /** The argument, where the command is an array. */
  readonly index: number | undefined
  /** What reads it, in words: `sh`, `the standard input of bash`. */
  readonly reader: string
  /** What to write instead: this very command where it can be rewritten, else an example. */
  readonly advice: string
}

/** Characters of a command that is written out in a message; a longer one is not read there. */
const longestShown = 400

/**
 * Where a command has its item read as code, after it was put in as text (array) or as a value (string). Only what is
 * certain: the item itself stands in the code, and its reader is known. Numbers are no code and may stand there.
 */
export function secondReadings(command: string | readonly string[]): SecondReading[] {
  return typeof command === 'string' ? ofScript(command) : ofArguments(command)
}

/** A whole or decimal number, which no language reads as more than that. */
export function isPlainNumber(text: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(text)
}

function ofArguments(command: readonly string[]): SecondReading[] {
  const words = command.map((text) => ({ text, holdsItem: text.includes('${item}') }))
  return codeReading(words)
    .arguments.filter(({ index }) => words[index]?.holdsItem)
    .slice(0, 1)
    .map((code) => ({
      index: code.index,
      reader: readerName(words, code),
      advice: advice(safeArguments(words, code), code, words),
    }))
}

function ofScript(script: string): SecondReading[] {
  if (!script.includes('${item}')) return []
  const found: SecondReading[] = []
  for (const command of commandsOf(script)) {
    const { words } = command
    const reading = codeReading(words)
    const code = reading.arguments.find(({ index }) => words[index]?.holdsItem)
    if (code !== undefined)
      found.push({
        index: undefined,
        reader: readerName(words, code),
        advice: advice(safeScript(script, command, code), code, words),
      })
    else if (reading.input !== undefined && command.inputHoldsItem) {
      const reader = words[reading.input]?.text ?? ''
      found.push({
        index: undefined,
        reader: `the standard input of ${reader}`,
        advice: example(languageOfInput(reader), reader),
      })
    }
  }
  return found
}

function readerName(words: readonly Word[], { reader }: CodeArgument): string {
  return words[reader]?.text ?? ''
}

function languageOfInput(reader: string): Language {
  return /python|pypy/.test(reader)
    ? 'python'
    : /node|bun/.test(reader)
      ? 'node'
      : reader.includes('perl')
        ? 'perl'
        : reader.includes('ruby')
          ? 'ruby'
          : 'shell'
}

function advice(safe: string | undefined, { language, reader }: CodeArgument, words: readonly Word[]): string {
  return safe === undefined || safe.length > longestShown
    ? example(language, words[reader]?.text ?? 'sh')
    : `Write ${safe}`
}

/** Says how the item is handed over in that language, where the command itself cannot be rewritten. */
function example(language: Language, reader: string): string {
  switch (language) {
    case 'shell':
      return `Hand the item over as an argument: ${reader} -c 'f "$1"' sh \${item}`
    case 'eval':
      return 'Leave "eval" out: a shell already puts the item in as one word: f ${item}'
    case 'trap':
      return 'Let the trap read a variable: item=${item}; trap \'f "$item"\' EXIT'
    case 'arithmetic':
      return reader === '[['
        ? 'Compare it with a command that takes numbers only, [ ${item} -eq 5 ], or as text: [[ ${item} == 5 ]]'
        : 'Calculate with a program that takes numbers only: expr ${item} + 1'
    case 'name':
      return 'Write a name of your own there: bash runs commands that stand in the subscript of a name'
    case 'joined':
      return reader === 'ssh'
        ? "Hand the item over on standard input: printf '%s\\0' ${item} | ssh host xargs -0 f"
        : 'Hand the item over in a variable: item=${item}; export item, and write "$item" into the code, in ' +
            'single quotes'
    case 'python':
      return `Hand the item over as an argument: ${reader} -c 'import sys; f(sys.argv[1])' \${item}`
    case 'node':
      return `Hand the item over as an argument: ${reader} -e 'f(process.argv[1])' -- \${item}`
    case 'perl':
      return `Hand the item over as an argument: ${reader} -e 'f($ARGV[0])' -- \${item}`
    case 'ruby':
      return `Hand the item over as an argument: ${reader} -e 'f(ARGV[0])' -- \${item}`
    case 'awk':
      return `Hand the item over in a variable: env item=\${item} ${reader} '… ENVIRON["item"] …'`
    case 'other':
      return (
        `Hand the item over as an argument, or in a variable: env item=\${item} ${reader} …, and read ` +
        'that in the code'
      )
  }
}

interface Rewritten {
  readonly code: string
  readonly arguments: readonly string[]
}

/** The code with a reference to its last argument, and that argument. Undefined where only a person can tell. */
function rewritten(words: readonly Word[], { index, language, plain }: CodeArgument): Rewritten | undefined {
  const code = words[index]?.text ?? ''
  const after = words.length - index - 1
  if (!plain) return undefined
  if (language === 'shell') {
    // There a number is not the place of an argument of the whole.
    if (/\$[@*#]|\bshift\b|\bset\b|\bfunction\b|\(\s*\)/.test(code)) return undefined
    const zero = after === 0 ? ['sh'] : []
    const position = Math.max(after, 1)
    if (code === '${item}') return { code: `eval "${positional(position)}"`, arguments: [...zero, '${item}'] }
    // What `${index}` becomes is a number, and may stand in the code.
    const script = envReferences(code, { item: String(position), index: '{index}' }).script
    return { code: tidied(script, position), arguments: [...zero, '${item}'] }
  }
  const element = elementOf(language, after)
  if (element === undefined) return undefined
  // A literal that is nothing but the item: everything else would need a reader of that language.
  const literal = /(["'`])\$\{item\}\1/g
  if ([...code.matchAll(literal)].some((found) => !outsideOfLiterals(code.slice(0, found.index)))) return undefined
  const changed = code.replaceAll(literal, element)
  if (changed.includes('${item}')) return undefined
  return {
    code: language === 'python' ? `import sys; ${changed}` : changed,
    arguments: [...(language === 'python' || after > 0 ? [] : ['--']), '${item}'],
  }
}

function outsideOfLiterals(before: string): boolean {
  return !before.includes('\\') && ['"', "'", '`'].every((quote) => before.split(quote).length % 2 === 1)
}

function elementOf(language: Language, after: number): string | undefined {
  switch (language) {
    case 'python':
      return `sys.argv[${after + 1}]`
    case 'node':
      return `process.argv[${after + 1}]`
    case 'perl':
      return `$ARGV[${after}]`
    case 'ruby':
      return `ARGV[${after}]`
    default:
      return undefined
  }
}

function positional(position: number): string {
  return position > 9 ? `\${${position}}` : `$${position}`
}

/** `"${1}"` → `"$1"` where it means the same; `"${{index}}"` → `${index}`, which is a number. */
function tidied(script: string, position: number): string {
  const reference = `\${${position}}`
  return script
    .replaceAll('"${{index}}"', '${index}')
    .replaceAll('${{index}}', '${index}')
    .replaceAll(`''"${reference}"''`, `"${reference}"`)
    .replaceAll(/\$\{(\d)\}(?![\w[])/g, '$$$1')
}

function safeArguments(words: readonly Word[], code: CodeArgument): string | undefined {
  const safe = rewritten(words, code)
  if (safe === undefined || words.filter(({ holdsItem }) => holdsItem).length > 1) return undefined
  const texts = words.map(({ text }, index) => (index === code.index ? safe.code : text))
  return JSON.stringify([...texts, ...safe.arguments]).replaceAll('","', '", "')
}

function safeScript(script: string, { words }: ScriptCommand, code: CodeArgument): string | undefined {
  const word = words[code.index]
  const last = words.at(-1)
  if (word?.literal !== true || last === undefined) return undefined
  if (code.language === 'eval') return safeEval(script, words, code)
  const safe = rewritten(words, code)
  if (safe === undefined) return undefined
  return (
    `${script.slice(0, word.start)}${singleQuoted(safe.code)}${script.slice(word.end, last.end)} ` +
    `${safe.arguments.join(' ')}${script.slice(last.end)}`
  )
}

/** What is evaluated is a script like the whole one: it may stand there itself. */
function safeEval(script: string, words: readonly ScriptWord[], { reader, index }: CodeArgument): string | undefined {
  const [start, last] = [words[reader], words.at(-1)]
  const [only, ...others] = words.slice(index)
  if (start === undefined || last === undefined || only === undefined || others.length > 0 || only.text === '${item}')
    return undefined
  return `${script.slice(0, start.start)}${only.text}${script.slice(last.end)}`
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
