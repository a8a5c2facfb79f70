import { codeAt, everyArgument, nothing, type CodeReading, type Word } from './codeWords'

/** Programs that read a script as POSIX shells do, near enough. */
export const shells = new Set([
  'sh',
  'ash',
  'bash',
  'csh',
  'dash',
  'fish',
  'ksh',
  'ksh93',
  'mksh',
  'oksh',
  'rbash',
  'tcsh',
  'yash',
  'zsh',
])

/** `sh -c script`, or a script in its standard input. */
export function shellReading(words: readonly Word[], reader: number): CodeReading {
  let at = reader + 1
  let reads = false
  for (; at < words.length; at++) {
    const text = words[at]?.text ?? ''
    if (text === '--' || text === '-') {
      at++
      break
    }
    const [, value] = /^--command=([^]*)$/.exec(text) ?? []
    if (value !== undefined) return codeAt(words, at, 'shell', reader, false)
    if (text === '--command') reads = true
    else if (text === '--rcfile' || text === '--init-file') at++
    else if (/^[-+][A-Za-z]+$/.test(text)) {
      if (text.startsWith('-') && text.includes('c')) reads = true
      if (/[oO]$/.test(text)) at++
    } else if (!text.startsWith('--')) break
  }
  if (reads) return codeAt(words, at, 'shell', reader, true)
  const fromInput = at >= words.length || words.slice(reader + 1, at).some(({ text }) => /^-[A-Za-z]*s/.test(text))
  return { arguments: [], input: fromInput ? reader : undefined }
}

/** `trap script SIGNAL …`. */
export function trapReading(words: readonly Word[], reader: number): CodeReading {
  const first = reader + (words[reader + 1]?.text === '--' ? 2 : 1)
  return words[first]?.text.startsWith('-') === true ? nothing : codeAt(words, first, 'trap', reader, true)
}

/** What bash calculates with, or takes for the name of a variable. `[[` is one comparison of it. */
export function builtinReading(words: readonly Word[], reader: number, name: string): CodeReading | undefined {
  const text = (index: number): string => words[index]?.text ?? ''
  switch (name) {
    case 'let':
      return everyArgument(words, reader, 'arithmetic', reader + 1)
    case 'unset':
      return everyArgument(words, reader, 'name', reader + 1)
    case 'declare':
    case 'typeset':
    case 'local':
      return words.slice(reader + 1).some((word) => /^-[A-Za-z]*i/.test(word.text))
        ? everyArgument(words, reader, 'arithmetic', reader + 1)
        : nothing
    case 'printf':
      return text(reader + 1) === '-v' ? codeAt(words, reader + 2, 'name', reader, false) : nothing
    case '[[':
    case '[':
    case 'test': {
      if (text(reader + 1) === '-v') return codeAt(words, reader + 2, 'name', reader, false)
      if (name !== '[[' || !/^-(?:eq|ne|lt|le|gt|ge)$/.test(text(reader + 2))) return nothing
      return {
        arguments: [1, 3].map((index) => ({ index: reader + index, language: 'arithmetic', reader, plain: false })),
        input: undefined,
      }
    }
    default:
      return undefined
  }
}
