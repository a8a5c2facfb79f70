import { nodeOptionsWithValue, operandIndex, pythonOptionsWithValue, type Launcher } from '../../processes'
import { codeAt, nothing, textsOf, type CodeArgument, type CodeReading, type Language, type Word } from './codeWords'

/** How an interpreter takes code, a script and options of its own. */
export interface Interpreter extends Pick<Launcher, 'valued' | 'valuedLong'> {
  readonly language: Language
  /** Letters of options whose value is code; none: the first operand is. */
  readonly code: string
  readonly codeLong?: readonly string[]
  /** Letters that go with the code without changing what its arguments mean. */
  readonly harmless?: string
  /** Letters of options whose value belongs to them also without a space: `-Idir`. */
  readonly attached?: string
  /** Letters of options that name what is run instead of code. */
  readonly runs?: string
  /** The operand behind which code stands. */
  readonly verb?: string
}

const node: Interpreter = {
  language: 'node',
  code: 'ep',
  codeLong: ['eval', 'print'],
  valued: 'rC',
  valuedLong: longNames(nodeOptionsWithValue),
}
const awk: Interpreter = {
  language: 'awk',
  code: '',
  valued: 'vFieEl',
  valuedLong: ['assign', 'field-separator', 'include', 'load'],
  runs: 'f',
}
/** Interpreters by the name that `programName` gives them. */
export const interpreters: ReadonlyMap<string, Interpreter> = new Map<string, Interpreter>(
  Object.entries({
    python: {
      valuedLong: longNames(pythonOptionsWithValue),
      language: 'python',
      code: 'c',
      attached: 'WX',
      valued: 'WX',
      harmless: 'bBdEhiIOPqsSuvVx',
      runs: 'm',
    },
    node,
    bun: node,
    deno: { language: 'node', code: '', verb: 'eval' },
    perl: { language: 'perl', code: 'eE', attached: 'IMmFCDxi0l', valued: 'I', harmless: 'wWTtcsSuU' },
    ruby: { language: 'ruby', code: 'e', attached: 'IrCXEFKTxW0i', valued: 'IrCXE', harmless: 'wvdsSU' },
    awk,
    gawk: awk,
    mawk: awk,
    nawk: awk,
    php: { language: 'other', code: 'rRBE', valued: 'cdfzt' },
    lua: { language: 'other', code: 'e', valued: 'lW' },
    luajit: { language: 'other', code: 'e', valued: 'l' },
    rscript: { language: 'other', code: 'e' },
    julia: { language: 'other', code: 'eE', codeLong: ['eval', 'print'], valued: 'LJCptH' },
    osascript: { language: 'other', code: 'e', valued: 'ls' },
    pwsh: { language: 'other', code: 'c', codeLong: ['command'] },
    powershell: { language: 'other', code: 'c', codeLong: ['command'] },
  } satisfies Record<string, Interpreter>),
)

/** Which arguments an interpreter reads as code. */
export function interpreterReading(words: readonly Word[], reader: number, interpreter: Interpreter): CodeReading {
  const {
    language,
    code,
    codeLong = [],
    harmless = '',
    attached = '',
    runs = '',
    valued = '',
    valuedLong = [],
    verb,
  } = interpreter
  const found: CodeArgument[] = []
  let plain = true
  let at = reader + 1
  for (; at < words.length; at++) {
    const text = words[at]?.text ?? ''
    if (text === '--') {
      at++
      break
    }
    if (!text.startsWith('-') || text === '-') break
    if (text.startsWith('--')) {
      const [name = ''] = text.slice(2).split('=', 1)
      if (codeLong.includes(name))
        found.push({ index: text.includes('=') ? at : ++at, language, reader, plain: plain && !text.includes('=') })
      else if (valuedLong.includes(name) && !text.includes('=')) at++
      continue
    }
    // A cluster of letters ends at the first one with a value.
    let letter = 1
    for (; letter < text.length; letter++) {
      const one = text.charAt(letter)
      if (runs.includes(one)) return { arguments: found, input: undefined }
      if (code.includes(one)) {
        // `node -pe`: the code follows both.
        if (language === 'node' && letter + 1 < text.length) continue
        const inside = letter + 1 < text.length
        found.push({ index: inside ? at : ++at, language, reader, plain: plain && !inside })
        if (language === 'python')
          return { arguments: found.filter(({ index }) => index < words.length), input: undefined }
        break
      }
      if (valued.includes(one)) {
        if (letter + 1 === text.length) at++
        break
      }
      if (attached.includes(one)) break
      if (!harmless.includes(one)) plain = false
    }
  }
  if (found.length > 0) return { arguments: found.filter(({ index }) => index < words.length), input: undefined }
  const operand = words[at]?.text
  if (verb !== undefined)
    return operand === verb ? codeAt(words, operandIndex(textsOf(words), at, {}), language, reader, false) : nothing
  if (code === '') return codeAt(words, at, language, reader, true)
  return { arguments: [], input: operand === undefined || operand === '-' ? reader : undefined }
}

function longNames(options: ReadonlySet<string>): string[] {
  return [...options].filter((option) => option.startsWith('--')).map((option) => option.slice(2))
}
