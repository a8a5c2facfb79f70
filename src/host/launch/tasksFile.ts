import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser'

/** Deeper than any real file; the parser and the walks over its tree are recursive. */
const deepest = 200

/** One `"type": "pool"` task where it stands in the file. */
export interface PoolTask {
  readonly label: string | undefined
  /** All its keys, as written. */
  readonly definition: Record<string, unknown>
  readonly node: Node
}

/** A tasks.json as far as pools are concerned. */
export interface TasksFile {
  readonly poolTasks: readonly PoolTask[]
  /** Labels of tasks of other types, for the message to a client that asks for one. */
  readonly otherTasks: readonly { readonly label: string; readonly type: string }[]
  readonly syntaxErrors: readonly { readonly message: string; readonly line: number; readonly column: number }[]
  /** Where it is nested too deep, so that nothing of it is read; a syntax error, too. */
  readonly tooDeepAt: number | undefined
}

/** Ends a sentence about a tasks.json. */
export const tooDeep = `nested too deep: more than ${deepest} levels of [ ] and { }`

/**
 * Reads tasks.json as VS Code does: comments and trailing commas are fine, and a broken file is read as far as it goes.
 */
export function parseTasksFile(text: string): TasksFile {
  const tooDeepAt = findTooDeep(text)
  if (tooDeepAt !== undefined)
    return {
      poolTasks: [],
      otherTasks: [],
      syntaxErrors: [{ message: tooDeep, ...positionOf(text, tooDeepAt) }],
      tooDeepAt,
    }
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  const poolTasks: PoolTask[] = []
  const otherTasks: { label: string; type: string }[] = []
  const list = tree && findNodeAtLocation(tree, ['tasks'])
  for (const node of list?.type === 'array' ? (list.children ?? []) : []) {
    if (node.type !== 'object') continue
    const value = getNodeValue(node) as Record<string, unknown>
    const label = [value.label, value.taskName].find((name) => typeof name === 'string')
    if (value.type === 'pool') poolTasks.push({ label, definition: value, node })
    else if (label !== undefined)
      otherTasks.push({ label, type: typeof value.type === 'string' ? value.type : 'process' })
  }
  return {
    poolTasks,
    otherTasks,
    syntaxErrors: errors.map(({ error, offset }) => ({
      message: printParseErrorCode(error),
      ...positionOf(text, offset),
    })),
    tooDeepAt,
  }
}

/**
 * The range of a problem: the key of a property, the value of an array's element, and the `"type"` of the task for a
 * key that is missing.
 */
export function placeOf(task: PoolTask, path: readonly (string | number)[]): { offset: number; length: number } {
  for (let depth = path.length; depth > 0; depth--) {
    const found = findNodeAtLocation(task.node, path.slice(0, depth))
    if (!found) continue
    const key = found.parent?.type === 'property' ? found.parent.children?.[0] : found
    if (key) return { offset: key.offset, length: key.length }
  }
  const type = findNodeAtLocation(task.node, ['type'])?.parent
  return type ? { offset: type.offset, length: type.length } : { offset: task.node.offset, length: 1 }
}

/** The offset of the first bracket that is one too many. */
function findTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true)
  let depth = 0
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    // By its first character: a string begins with a quotation mark, a comment with a slash.
    const first = text[scanner.getTokenOffset()]
    if (first === '{' || first === '[') {
      depth += 1
      if (depth > deepest) return scanner.getTokenOffset()
    } else if (first === '}' || first === ']') {
      depth -= 1
    }
  }
  return undefined
}

/** Counted from 1, as editors show them. */
function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/)
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}
