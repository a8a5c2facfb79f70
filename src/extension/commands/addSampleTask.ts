import {
  applyEdits,
  findNodeAtLocation,
  modify,
  parseTree,
  printParseErrorCode,
  type Edit,
  type FormattingOptions,
  type Node,
  type ParseError,
} from 'jsonc-parser'
import { inline, sampleLabel, sampleTask, sampleTasksFile } from './sampleTasksFile'

/** What to change in a tasks.json so that it has the sample task; no edits when it has one already. */
export type SampleTaskEdits =
  | { readonly kind: 'edits'; readonly edits: readonly Edit[] }
  /** It cannot be told where the task would go; `offset` is where the reason is. */
  | {
      readonly kind: 'unreadable'
      readonly why: 'syntax' | 'no-object' | 'no-list'
      readonly detail: string
      readonly offset: number
    }

const parseOptions = { allowTrailingComma: true, disallowComments: false }

/** Adds the sample task at the end of `tasks`. Comments, layout and the other tasks stay as they are. */
export function addSampleTask(text: string, formattingOptions: FormattingOptions): SampleTaskEdits {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, parseOptions)
  // Nothing in it yet but, perhaps, comments, which stay above.
  if (tree === undefined)
    return {
      kind: 'edits',
      edits: [{ offset: text.length, length: 0, content: withEol(sampleTasksFile, formattingOptions.eol) }],
    }
  const [error] = errors
  if (error !== undefined)
    return { kind: 'unreadable', why: 'syntax', detail: printParseErrorCode(error.error), offset: error.offset }
  if (tree.type !== 'object') return { kind: 'unreadable', why: 'no-object', detail: tree.type, offset: tree.offset }
  if (sampleIn(tree) !== undefined) return { kind: 'edits', edits: [] }
  const list = findNodeAtLocation(tree, ['tasks'])
  if (list !== undefined && list.type !== 'array')
    return { kind: 'unreadable', why: 'no-list', detail: list.type, offset: list.offset }
  const last = list?.children?.at(-1)
  const below = last && editBelow(text, last, formattingOptions)
  if (below !== undefined) return { kind: 'edits', edits: [below] }
  const edits =
    list === undefined
      ? modify(text, ['tasks'], [sampleTask], { formattingOptions })
      : modify(text, ['tasks', list.children?.length ?? 0], sampleTask, { formattingOptions, isArrayInsertion: true })
  return { kind: 'edits', edits: edits.map((edit) => ({ ...edit, content: withInlineLists(edit.content) })) }
}

/**
 * Puts the sample on lines of its own below a task that begins a line; the library would lay out that task anew, too.
 */
function editBelow(
  text: string,
  last: Node,
  { tabSize = 2, insertSpaces, eol = '\n' }: FormattingOptions,
): Edit | undefined {
  const line = text.slice(text.lastIndexOf('\n', last.offset - 1) + 1, last.offset)
  const [, indent] = /^([ \t]*)(?:\/\*.*\*\/[ \t]*)?$/.exec(line) ?? []
  if (indent === undefined) return undefined
  const lines = withInlineLists(JSON.stringify(sampleTask, undefined, insertSpaces === false ? '\t' : tabSize)).split(
    '\n',
  )
  return {
    offset: last.offset + last.length,
    length: 0,
    content: `,${lines.map((each) => `${eol}${indent}${each}`).join('')}`,
  }
}

/** Where the sample task stands, to show it; undefined when it is not there. */
export function findSampleTask(text: string): { readonly offset: number; readonly length: number } | undefined {
  const tree = parseTree(text, [], parseOptions)
  return tree && sampleIn(tree)
}

/** The text after the edits. */
export function edited(text: string, edits: readonly Edit[]): string {
  return applyEdits(text, [...edits])
}

function sampleIn(tree: Node): Node | undefined {
  const list = findNodeAtLocation(tree, ['tasks'])
  return list?.children?.find(
    (task) =>
      task.type === 'object' && valueOf(task, 'label') === sampleLabel && valueOf(task, 'type') === sampleTask.type,
  )
}

function valueOf(task: Node, key: string): unknown {
  return findNodeAtLocation(task, [key])?.value
}

/** The sample's own lists in one line each, as one would write them. */
function withInlineLists(content: string): string {
  return [sampleTask.command, sampleTask.items].reduce((text, list) => {
    const elements = list.map((element) => escaped(JSON.stringify(element))).join(',\\s*')
    return text.replace(new RegExp(`\\[\\s*${elements}\\s*\\]`), () => inline(list))
  }, content)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function withEol(text: string, eol = '\n'): string {
  return text.replaceAll('\n', eol)
}
