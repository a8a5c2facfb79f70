import { forEachChild, parse } from 'unbash'
import type {
  Command,
  DoubleQuotedChild,
  HereDoc,
  HereString,
  PipelineNode,
  SyntaxNode,
  TestExpression,
  Word as SyntaxWord,
  WordPart,
} from 'unbash'
import type { Word } from './codeWords'

/** One simple command of a script, wherever it stands in it. */
export interface ScriptCommand {
  readonly words: readonly ScriptWord[]
  /**
   * The item is text of what it reads from standard input: a here-document, a here-string, or an `echo` in front of a
   * pipe.
   */
  readonly inputHoldsItem: boolean
}

/** A word with its place in the script. */
export interface ScriptWord extends Word {
  readonly start: number
  readonly end: number
  /** The text is all there is: nothing but `${item}` and `${index}` is put in by the shell. */
  readonly literal: boolean
}

/**
 * All simple commands of a shell script: also those in `$( )`, loops, functions and here-documents. What cannot be
 * parsed is left out, as a shell refuses it as well.
 */
export function commandsOf(script: string): ScriptCommand[] {
  const found: ScriptCommand[] = []
  visit(parse(script), found)
  return found
}

function visit(node: SyntaxNode, found: ScriptCommand[]): void {
  if (node.type === 'Command') command(node, false, found)
  if (node.type === 'TestCommand') comparisons(node.expression, found)
  if (node.type === 'Pipeline') {
    for (const [index, one] of node.commands.entries()) {
      if (one.type === 'Command') command(one, writesItem(node.commands[index - 1]), found)
      forEachChild(one, (child) => {
        visit(child, found)
      })
    }
    return
  }
  const from = found.length
  forEachChild(node, (child) => {
    visit(child, found)
  })
  // In backticks with escapes the places are those of another text.
  if (node.type === 'Script' && node.source !== undefined)
    found.push(
      ...found.splice(from).map((one) => ({ ...one, words: one.words.map((word) => ({ ...word, literal: false })) })),
    )
}

/** The comparisons in `[[ ]]`, each as a command of its own. */
function comparisons(test: TestExpression, found: ScriptCommand[]): void {
  switch (test.type) {
    case 'TestLogical':
      for (const operand of test.operands) comparisons(operand, found)
      break
    case 'TestNot':
      comparisons(test.operand, found)
      break
    case 'TestGroup':
      comparisons(test.expression, found)
      break
    case 'TestUnary':
    case 'TestBinary': {
      const plain = (text: string): ScriptWord => ({
        text,
        holdsItem: false,
        start: test.pos,
        end: test.pos,
        literal: true,
      })
      const words =
        test.type === 'TestUnary'
          ? [plain(test.operator), wordOf(test.operand)]
          : [wordOf(test.left), plain(test.operator), wordOf(test.right)]
      found.push({ words: [plain('[['), ...words], inputHoldsItem: false })
    }
  }
}

/** `echo ${item}`, `printf …`: what they print is what they are given. */
function writesItem(node: PipelineNode | undefined): boolean {
  if (node?.type !== 'Command' || !/^(?:echo|printf)$/.test(node.name?.value ?? '')) return false
  return node.args.some((one) => one.type === 'Word' && holdsItem(one))
}

function command(node: Command, piped: boolean, found: ScriptCommand[]): void {
  if (node.name === undefined) return
  const words = [node.name, ...node.suffix.filter((one) => one.type === 'Word' || one.type === 'Assignment')].map(
    (one) =>
      one.type === 'Word'
        ? wordOf(one)
        : {
            text: one.text,
            holdsItem: one.value.type === 'Word' && holdsItem(one.value),
            start: one.pos,
            end: one.end,
            literal: false,
          },
  )
  const redirected = [...node.prefix, ...node.suffix].some(
    (one) => (one.type === 'HereDoc' || one.type === 'HereString') && inputHolds(one),
  )
  found.push({ words, inputHoldsItem: piped || redirected })
}

function inputHolds(redirection: HereDoc | HereString): boolean {
  if (redirection.type === 'HereString') return redirection.target !== undefined && holdsItem(redirection.target)
  const { delimiter, body } = redirection
  return delimiter?.quoted === false && (body.parts ?? []).some(partHolds)
}

function wordOf(word: SyntaxWord): ScriptWord {
  return {
    text: word.value,
    holdsItem: holdsItem(word),
    start: word.pos,
    end: word.end,
    literal: (word.parts ?? []).every(isLiteral),
  }
}

function holdsItem({ parts }: SyntaxWord): boolean {
  return (parts ?? []).some(partHolds)
}

/** The rewritten script puts the item there, see shellContext.ts: also within single quotes. */
function partHolds(part: WordPart | DoubleQuotedChild): boolean {
  switch (part.type) {
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return part.text.includes('${item}')
    case 'ParameterExpansion': {
      if (part.text === '${item}') return true
      const { operation } = part
      if (operation === undefined) return false
      if ('operand' in operation) return operation.operand !== undefined && holdsItem(operation.operand)
      return operation.type === 'Replace' && holdsItem(operation.replacement)
    }
    case 'DoubleQuoted':
    case 'LocaleString':
    case 'BraceExpansion':
    case 'ExtendedGlob':
    case 'Glob':
      return (part.parts ?? []).some(partHolds)
    case 'Literal':
    case 'SimpleExpansion':
    case 'CommandExpansion':
    case 'ArithmeticExpansion':
    case 'ProcessSubstitution':
      return false
  }
}

function isLiteral(part: WordPart | DoubleQuotedChild): boolean {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      return true
    case 'DoubleQuoted':
      return part.parts.every(isLiteral)
    case 'ParameterExpansion':
      return part.text === '${item}' || part.text === '${index}'
    default:
      return false
  }
}
