/** One argument of a command, as the program gets it. */
export interface Word {
  /** With `${item}` and all other expansions as they were written. */
  readonly text: string
  /** The item itself is in it. What a command makes of the item (`$(basename ${item})`) is not the item. */
  readonly holdsItem: boolean
}

/**
 * Language in which an argument is read. `joined`: a shell reads all arguments from there on as one script.
 * `arithmetic` and `name`: bash calculates with it, or looks for a variable of that name; in the subscript of an array
 * it runs commands (`a[$(touch x)]`).
 */
export type Language =
  'shell' | 'joined' | 'eval' | 'trap' | 'arithmetic' | 'name' | 'python' | 'node' | 'perl' | 'ruby' | 'awk' | 'other'

/** An argument that a program reads as code. */
export interface CodeArgument {
  readonly index: number
  readonly language: Language
  /** Index of the word that names the program that reads it. */
  readonly reader: number
  /**
   * Arguments may be added behind the last one; not so where options or another program give them a meaning (`perl
   * -ne`, `find -exec`).
   */
  readonly plain: boolean
}

/** What a command reads as code: some of its arguments, or its standard input. */
export interface CodeReading {
  readonly arguments: readonly CodeArgument[]
  /** Index of the word that names the program that reads code from its standard input. */
  readonly input: number | undefined
}

/**
 * Which arguments a program reads as code: those of interpreters (`sh -c`, `python -c`, `node -e`, `eval`, `ssh host
 * …`), also behind programs that start another one (`env`, `sudo`, `timeout`, `xargs`, `find -exec`, `docker exec`). A
 * program that is not known reads none.
 */
export function codeReading(words: readonly Word[], at = 0): CodeReading {
  const name = programName(words[at]?.text)
  if (name === undefined) return nothing
  if (shells.has(name)) return shellReading(words, at)
  if (name === 'eval') return everyArgument(words, at, 'eval', at + 1)
  if (name === 'trap') return trapReading(words, at)
  const builtin = builtinReading(words, at, name)
  if (builtin !== undefined) return builtin
  if (name === 'ssh')
    return everyArgument(words, at, 'joined', operandAfter(words, at, { valued: 'BbcDEeFIiJLlmOopQRSWw' }) + 1)
  if (name === 'watch') return watchReading(words, at)
  if (name === 'find') return findReading(words, at)
  const interpreter = interpreters.get(name)
  if (interpreter !== undefined) return interpreterReading(words, at, interpreter)
  const wrapper = wrappers.get(name)
  if (wrapper !== undefined) return wrapperReading(words, at, wrapper)
  if (containers.has(name)) return containerReading(words, at)
  return nothing
}

const nothing: CodeReading = { arguments: [], input: undefined }
const shells = new Set([
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
const containers = new Set(['docker', 'podman', 'nerdctl', 'kubectl', 'oc'])

interface Options {
  /** Letters of options whose value may be the next argument. */
  readonly valued?: string
  /** The same with two dashes, without them. */
  readonly valuedLong?: readonly string[]
}

interface Wrapper extends Options {
  /** Arguments before the command. */
  readonly operands?: number
  /** Letters of options whose value a shell reads. */
  readonly code?: string
}

/** Programs that start the command behind their own arguments. */
const wrappers = new Map<string, Wrapper>(
  Object.entries({
    busybox: {},
    builtin: {},
    chroot: { operands: 1 },
    chrt: { valued: 'TPD', operands: 1 },
    command: {},
    doas: { valued: 'Cu' },
    env: { valued: 'uC', valuedLong: ['unset', 'chdir'] },
    exec: { valued: 'a' },
    flock: { valued: 'wE', valuedLong: ['timeout', 'wait', 'conflict-exit-code'], operands: 1, code: 'c' },
    ionice: { valued: 'cn', valuedLong: ['class', 'classdata'] },
    ltrace: { valued: 'eosuna' },
    nice: { valued: 'n', valuedLong: ['adjustment'] },
    nohup: {},
    nsenter: { valued: 't', valuedLong: ['target'] },
    prlimit: {},
    runuser: { valued: 'sgGwu', valuedLong: ['shell', 'group', 'user'], operands: Infinity, code: 'c' },
    script: { valued: 'EImOBT', operands: Infinity, code: 'c' },
    setarch: { operands: 1 },
    setpriv: {
      valuedLong: ['reuid', 'regid', 'groups', 'inh-caps', 'ambient-caps', 'bounding-set', 'securebits', 'pdeathsig'],
    },
    setsid: {},
    stdbuf: { valued: 'ioe', valuedLong: ['input', 'output', 'error'] },
    strace: { valued: 'abeEIoOPpsSuUX' },
    su: { valued: 'sgGwCT', valuedLong: ['shell', 'group', 'supp-group'], operands: Infinity, code: 'c' },
    sudo: { valued: 'ugpCDhrtTUR', valuedLong: ['user', 'group', 'prompt', 'chdir', 'host', 'role', 'type', 'chroot'] },
    taskset: { operands: 1 },
    time: { valued: 'fo', valuedLong: ['format', 'output'] },
    timeout: { valued: 'ks', valuedLong: ['kill-after', 'signal'], operands: 1 },
    toybox: {},
    unshare: { valued: 'SGRw' },
    xargs: {
      valued: 'EILPadns',
      valuedLong: ['arg-file', 'delimiter', 'max-args', 'max-procs', 'max-chars', 'max-lines', 'replace'],
    },
  } satisfies Record<string, Wrapper>),
)

interface Interpreter extends Options {
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
  valuedLong: ['require', 'import', 'loader', 'experimental-loader', 'conditions', 'input-type', 'env-file'],
}
const awk: Interpreter = {
  language: 'awk',
  code: '',
  valued: 'vFieEl',
  valuedLong: ['assign', 'field-separator', 'include', 'load'],
  runs: 'f',
}
const interpreters = new Map<string, Interpreter>(
  Object.entries({
    python: { language: 'python', code: 'c', attached: 'WX', valued: 'WX', harmless: 'bBdEhiIOPqsSuvVx', runs: 'm' },
    node,
    nodejs: node,
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

/** `/usr/bin/python3.11` → `python`; undefined when it is known only when it runs. */
function programName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (/^\$(?:SHELL|\{SHELL(?::-[\w/]*)?\}|0)$/.test(text)) return 'sh'
  if (/[$`*?]/.test(text)) return undefined
  const name = text
    .slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
    .toLowerCase()
    .replace(/\.exe$/, '')
  if (/^(?:python|pypy)[\d.]*$/.test(name)) return 'python'
  return name.replace(/^(perl|ruby|lua|php|node)-?[\d.]+$/, '$1')
}

function shellReading(words: readonly Word[], reader: number): CodeReading {
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

function codeAt(
  words: readonly Word[],
  index: number,
  language: Language,
  reader: number,
  plain: boolean,
): CodeReading {
  return index < words.length ? { arguments: [{ index, language, reader, plain }], input: undefined } : nothing
}

function everyArgument(words: readonly Word[], reader: number, language: Language, from: number): CodeReading {
  return {
    arguments: words.slice(from).map((_, index) => ({ index: from + index, language, reader, plain: true })),
    input: undefined,
  }
}

function trapReading(words: readonly Word[], reader: number): CodeReading {
  const first = reader + (words[reader + 1]?.text === '--' ? 2 : 1)
  return words[first]?.text.startsWith('-') === true ? nothing : codeAt(words, first, 'trap', reader, true)
}

/** What bash calculates with, or takes for the name of a variable. `[[` is one comparison of it. */
function builtinReading(words: readonly Word[], reader: number, name: string): CodeReading | undefined {
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

/** `watch` hands its arguments to a shell, joined, unless it is told to start them itself. */
function watchReading(words: readonly Word[], reader: number): CodeReading {
  const first = operandAfter(words, reader, { valued: 'nq', valuedLong: ['interval', 'equexit'] })
  const itself = words.slice(reader + 1, first).some(({ text }) => text === '--exec' || /^-[A-Za-z]*x/.test(text))
  return itself ? codeReading(words, first) : everyArgument(words, reader, 'joined', first)
}

function findReading(words: readonly Word[], reader: number): CodeReading {
  const starts = words.flatMap(({ text }, index) =>
    index > reader && /^-(?:exec|execdir|ok|okdir)$/.test(text) ? [index + 1] : [],
  )
  return { arguments: starts.flatMap((start) => codeReading(words, start).arguments.map(notPlain)), input: undefined }
}

function wrapperReading(words: readonly Word[], reader: number, wrapper: Wrapper): CodeReading {
  const { operands = 0, code } = wrapper
  const split = programName(words[reader]?.text) === 'env' ? splitReading(words, reader) : undefined
  if (split !== undefined) return split
  if (code !== undefined) {
    const found = words.findIndex(
      ({ text }, index) => index > reader && (text === '--command' || new RegExp(`^-[A-Za-z]*[${code}]$`).test(text)),
    )
    if (found >= 0) return codeAt(words, found + 1, 'joined', reader, true)
    if (operands === Infinity) return nothing
  }
  let at = operandAfter(words, reader, wrapper)
  while (/^\w+=/.test(words[at]?.text ?? '')) at++
  const reading = codeReading(words, at + operands)
  // What xargs reads comes behind the arguments.
  return programName(words[reader]?.text) === 'xargs'
    ? { ...reading, arguments: reading.arguments.map(notPlain) }
    : reading
}

/** `env -S 'sh -c' …` makes words of one argument; undefined without that option. */
function splitReading(words: readonly Word[], reader: number): CodeReading | undefined {
  const end = operandAfter(words, reader, { valued: 'uC', valuedLong: ['unset', 'chdir'] })
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
    const inside = codeReading([...parts, ...words.slice(from + 1)])
    return {
      arguments: inside.arguments
        .filter(({ index }) => index >= parts.length)
        .map((one) => ({ ...one, index: one.index + shift, reader, plain: false })),
      input: inside.input === undefined ? undefined : reader,
    }
  }
  return undefined
}

function notPlain(code: CodeArgument): CodeArgument {
  return { ...code, plain: false }
}

/** `docker exec NAME command`, `docker run IMAGE command`, `kubectl exec NAME -- command`. */
function containerReading(words: readonly Word[], reader: number): CodeReading {
  const verb = words.findIndex(({ text }, index) => index > reader && /^(?:exec|run)$/.test(text))
  if (verb < 0) return nothing
  const dashes = words.findIndex(({ text }, index) => index > verb && text === '--')
  if (dashes >= 0) return codeReading(words, dashes + 1)
  let at = verb + 1
  for (; words[at]?.text.startsWith('-') === true; at++) {
    const text = words[at]?.text ?? ''
    const alone = text.includes('=') || /^-[dithPq]+$/.test(text) || containerSwitches.has(text)
    if (!alone) at++
  }
  return codeReading(words, at + 1)
}

const containerSwitches = new Set([
  '--detach',
  '--init',
  '--interactive',
  '--privileged',
  '--publish-all',
  '--quiet',
  '--read-only',
  '--rm',
  '--stdin',
  '--tty',
])

/** Index of the first argument that is no option and no option's value. */
function operandAfter(words: readonly Word[], reader: number, { valued = '', valuedLong = [] }: Options): number {
  let at = reader + 1
  for (; at < words.length; at++) {
    const text = words[at]?.text ?? ''
    if (text === '--') return at + 1
    if (!text.startsWith('-') || text === '-') return at
    if (
      text.startsWith('--')
        ? valuedLong.includes(text.slice(2))
        : valued.includes(text.at(-1) ?? ' ') && text.length === 2
    )
      at++
  }
  return at
}

function interpreterReading(words: readonly Word[], reader: number, interpreter: Interpreter): CodeReading {
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
    return operand === verb ? codeAt(words, operandAfter(words, at, {}), language, reader, false) : nothing
  if (code === '') return codeAt(words, at, language, reader, true)
  return { arguments: [], input: operand === undefined || operand === '-' ? reader : undefined }
}
