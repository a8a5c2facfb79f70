type PlaceholderName = 'item' | 'index'

/** A script whose placeholders are references to environment variables. */
export interface ReferencingScript {
  readonly script: string
  /** Placeholders that a shell calculates with: only a number may stand there, see {@link envReferences}. */
  readonly calculated: ReadonlySet<PlaceholderName>
}

/** The placeholder stands where no shell would replace it. */
export class UnreachablePlaceholderError extends Error {
  override readonly name = 'UnreachablePlaceholderError'
}

/**
 * Replaces `${item}` and `${index}` in a shell script by references to environment variables, each written so that the
 * value is one word where the placeholder stands: `"${V}"` outside of quotes, `${V}` inside double quotes and
 * here-documents, `'"${V}"'` inside single ones. In a comment it stays as it is.
 *
 * The value itself never becomes part of the script. A shell does not parse what an expansion yields, with one
 * exception: arithmetic, where bash runs a `$( )` that the value carries. There the caller must accept numbers only.
 *
 * @throws UnreachablePlaceholderError for one in a here-document with a quoted delimiter
 */
export function envReferences(script: string, variables: Readonly<Record<PlaceholderName, string>>): ReferencingScript {
  const calculated = new Set<PlaceholderName>()
  return {
    script: new ScriptReader(script, variables, calculated, { kind: 'command', closer: '', cases: 0 }).read(),
    calculated,
  }
}

interface Context {
  /**
   * `command`: the script, `( )` and `$( )`, where quoting starts afresh, also within double quotes. `text`: double
   * quotes, here-documents, and `${ }` within them. `expansion`: `${ }` elsewhere. `arithmetic`: `$(( ))`, `(( ))`, and
   * what only bash has.
   */
  readonly kind: 'command' | 'backtick' | 'text' | 'expansion' | 'arithmetic'
  /** What ends it. */
  readonly closer: string
  /** `case` without its `esac`: a `)` ends a pattern there. */
  cases: number
}

class ScriptReader {
  readonly #script: string
  readonly #variables: Readonly<Record<PlaceholderName, string>>
  readonly #calculated: Set<PlaceholderName>
  readonly #outermost: Context

  readonly #contexts: Context[]
  #at = 0
  #result = ''
  #documents: { readonly delimiter: string; readonly tabs: boolean; readonly quoted: boolean }[] = []

  constructor(
    script: string,
    variables: Readonly<Record<PlaceholderName, string>>,
    calculated: Set<PlaceholderName>,
    outermost: Context,
  ) {
    this.#script = script
    this.#variables = variables
    this.#calculated = calculated
    this.#outermost = outermost

    this.#contexts = [outermost]
  }

  read(): string {
    while (this.#at < this.#script.length) this.#step()
    return this.#result
  }

  get #context(): Context {
    return this.#contexts.at(-1) ?? this.#outermost
  }

  get #inCommand(): boolean {
    return this.#context.kind === 'command' || this.#context.kind === 'backtick'
  }

  #step(): void {
    const context = this.#context
    const name = this.#placeholder()
    if (name !== undefined) {
      this.#reference(name, context)
      return
    }
    const character = this.#script.charAt(this.#at)
    if (character === '\\') this.#copy(2)
    else if (character === '`') this.#backtick()
    else if (character === '$' && this.#dollar()) return
    else if (
      context.closer !== '' &&
      context.closer !== '`' &&
      context.cases === 0 &&
      this.#script.startsWith(context.closer, this.#at)
    )
      this.#close(context)
    else if (this.#inCommand) this.#command(context, character)
    else if (context.kind === 'expansion') this.#quotes(character)
    else if (context.kind === 'arithmetic' && (character === '(' || character === '['))
      this.#open('arithmetic', 1, character === '(' ? ')' : ']')
    // Here-documents have no quotes.
    else if (character === '"' && context.kind === 'text' && context.closer !== '') this.#open('text', 1, '"')
    else this.#copy(1)
  }

  #reference(name: PlaceholderName, { kind }: Context): void {
    const reference = `\${${this.#variables[name]}}`
    this.#result += kind === 'text' || kind === 'arithmetic' ? reference : `"${reference}"`
    if (kind === 'arithmetic') this.#calculated.add(name)
    this.#at += name.length + 3
  }

  #command(context: Context, character: string): void {
    if (character === '#' && this.#atWordStart()) this.#comment(context)
    else if (character === '\n') this.#newLine()
    else if (character === '<' && this.#document()) return
    else if (character === '(') {
      if (this.#script.startsWith('((', this.#at) && this.#closesTwice(this.#at + 2)) this.#open('arithmetic', 2, '))')
      else this.#open('command', 1, ')')
    } else if (this.#atWordStart() && this.#match(/case\s[^\n;]*?\sin\s/y) !== undefined) {
      context.cases++
      this.#copy(4)
    } else if (context.cases > 0 && this.#atWordStart() && this.#match(/esac\b/y) !== undefined) {
      context.cases--
      this.#copy(4)
    } else this.#quotes(character)
  }

  #quotes(character: string): void {
    if (character === "'") this.#singleQuoted()
    else if (character === '"') this.#open('text', 1, '"')
    else this.#copy(1)
  }

  #singleQuoted(): void {
    this.#copy(1)
    while (this.#at < this.#script.length) {
      const name = this.#placeholder()
      if (name !== undefined) {
        this.#result += `'"\${${this.#variables[name]}}"'`
        this.#at += name.length + 3
        continue
      }
      const ends = this.#script.charAt(this.#at) === "'"
      this.#copy(1)
      if (ends) return
    }
  }

  /** True when it begins an expansion, which is then open. */
  #dollar(): boolean {
    const script = this.#script
    if (script.startsWith('$((', this.#at) && this.#closesTwice(this.#at + 3)) this.#open('arithmetic', 3, '))')
    else if (script.startsWith('$(', this.#at)) this.#open('command', 2, ')')
    else if (this.#match(/\$\[[^\]\n]*\]/y) !== undefined) this.#open('arithmetic', 2, ']')
    else if (script.startsWith('${', this.#at)) this.#expansion()
    else return false
    return true
  }

  #expansion(): void {
    const kind = this.#context.kind === 'text' ? 'text' : 'expansion'
    const subscript = this.#match(/\$\{[#!]?\w+\[/y)
    const substring = this.#match(/\$\{\w+:(?![-=?+])/y)
    if (subscript !== undefined) {
      this.#open(kind, subscript.length - 1, '}')
      this.#open('arithmetic', 1, ']')
    } else if (substring !== undefined) this.#open('arithmetic', substring.length, '}')
    else this.#open(kind, 2, '}')
  }

  /** A shell looks for the second one before it looks at anything between them. */
  #backtick(): void {
    const opened = this.#contexts.findLastIndex(({ kind }) => kind === 'backtick')
    if (opened === -1) {
      this.#open('backtick', 1, '`')
      return
    }
    this.#contexts.splice(opened)
    this.#copy(1)
  }

  #comment({ kind }: Context): void {
    const end = this.#match(kind === 'backtick' ? /[^\n`]*/y : /[^\n]*/y) ?? ''
    this.#copy(end.length)
  }

  /** `<<END`, `<<-END`, `<<'END'`: what follows the line belongs to it. */
  #document(): boolean {
    const here = this.#match(/<<<|<<(-?)[ \t]*((?:'[^'\n]*'|"[^"\n]*"|\\.|[^\s;&|()<>'"\\])+)/y)
    if (here === undefined) return false
    const [, tabs = '', word = ''] = /^<<(-?)[ \t]*([^]*)$/.exec(here) ?? []
    if (here !== '<<<')
      this.#documents.push({
        delimiter: word.replace(/\\(.)|['"]/g, '$1'),
        tabs: tabs === '-',
        quoted: /['"\\]/.test(word),
      })
    this.#copy(here.length)
    return true
  }

  #newLine(): void {
    this.#copy(1)
    for (const { delimiter, tabs, quoted } of this.#documents.splice(0)) {
      const start = this.#at
      let end = start
      while (end < this.#script.length) {
        const lineEnd = this.#script.indexOf('\n', end)
        const line = this.#script.slice(end, lineEnd === -1 ? undefined : lineEnd)
        if ((tabs ? line.replace(/^\t+/, '') : line) === delimiter) break
        end = lineEnd === -1 ? this.#script.length : lineEnd + 1
      }
      const body = this.#script.slice(start, end)
      if (quoted && /\$\{(?:item|index)\}/.test(body)) {
        throw new UnreachablePlaceholderError(
          `\${item} or \${index} stands in a here-document whose delimiter is quoted, where a shell replaces ` +
            `nothing: write <<${delimiter} without quotes`,
        )
      }
      this.#result += quoted
        ? body
        : new ScriptReader(body, this.#variables, this.#calculated, { kind: 'text', closer: '', cases: 0 }).read()
      this.#at = end
      // The line of the delimiter itself.
      const rest = this.#script.indexOf('\n', end)
      this.#copy((rest === -1 ? this.#script.length : rest) - end)
    }
  }

  #open(kind: Context['kind'], length: number, closer: string): void {
    this.#copy(length)
    this.#contexts.push({ kind, closer, cases: 0 })
  }

  #close({ closer }: Context): void {
    this.#contexts.pop()
    this.#copy(closer.length)
  }

  #copy(length: number): void {
    this.#result += this.#script.slice(this.#at, this.#at + length)
    this.#at += length
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#script)?.[0]
  }

  #atWordStart(): boolean {
    const before = this.#script.charAt(this.#at - 1)
    if (before === '`') return this.#context.kind === 'backtick'
    return this.#at === 0 || (/[\s;&|()<>]/.test(before) && this.#script.charAt(this.#at - 2) !== '\\')
  }

  /** From within two parentheses: both are closed at the same place, as those of a calculation are. */
  #closesTwice(from: number): boolean {
    let depth = 0
    for (let at = from; at < this.#script.length; at++) {
      const character = this.#script.charAt(at)
      if (character === '(') depth++
      else if (character === ')' && depth-- === 0) return this.#script.charAt(at + 1) === ')'
    }
    return false
  }

  #placeholder(): PlaceholderName | undefined {
    if (this.#script.startsWith('${item}', this.#at)) return 'item'
    return this.#script.startsWith('${index}', this.#at) ? 'index' : undefined
  }
}
