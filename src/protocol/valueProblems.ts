import type * as z from 'zod'
import { keyOf, shown, type DefinitionProblem } from './definitionProblem'

/** Problems of a value by its schema, in words that name the key and the remedy. */
export function valueProblems(schema: z.ZodType, value: unknown, path: (string | number)[]): DefinitionProblem[] {
  const parsed = schema.safeParse(value)
  if (parsed.success) return []
  const branches = parsed.error.issues.map((issue) => deepest(issue, value))
  return branches.map(({ issue, depth }) => {
    const at = [...path, ...depth.filter((part) => typeof part !== 'symbol')]
    const found = depth.reduce<unknown>(
      (inner, part) => (inner as Record<PropertyKey, unknown> | undefined)?.[part],
      value,
    )
    const key = keyOf(at)
    switch (issue.code) {
      case 'too_small':
        if (issue.origin === 'string' || issue.origin === 'array')
          return { path: at, code: 'missing', message: `"${key}" is empty. Write ${expectation(path)}.` }
        return {
          path: at,
          code: 'out-of-range',
          message: `"${key}" is ${shown(found)}. Write a whole number of at least ${String(issue.minimum)}.`,
        }
      case 'too_big':
        return {
          path: at,
          code: 'out-of-range',
          message: `"${key}" is ${shown(found)}. Write a whole number of at most ${String(issue.maximum)}.`,
        }
      case 'custom':
        return { path: at, code: 'wrong-type', message: `"${key}" ${issue.message}. Write ${expectation(path)}.` }
      case 'invalid_value':
        return {
          path: at,
          code: typeof found === 'string' ? 'out-of-range' : 'wrong-type',
          message:
            `"${key}" is ${shown(found)}. Write one of ` +
            `${issue.values.map((one) => `"${String(one)}"`).join(', ')}.`,
        }
      default:
        return { path: at, code: 'wrong-type', message: `"${key}" is ${shown(found)}. Write ${expectation(path)}.` }
    }
  })
}

interface Located {
  issue: z.core.$ZodIssue
  depth: PropertyKey[]
}

/**
 * The issue of the union's branch that fits the kind of the given value: the wrong element of an array, not "no array".
 */
function deepest(issue: z.core.$ZodIssue, value: unknown): Located {
  if (issue.code !== 'invalid_union') return { issue, depth: [...issue.path] }
  const nested = issue.errors.flat().map((inner) => deepest(inner, value))
  const inner = nested.find((one) => one.depth.length > 0) ?? nested.find((one) => one.issue.code !== 'invalid_type')
  return inner ? { issue: inner.issue, depth: [...issue.path, ...inner.depth] } : { issue, depth: [...issue.path] }
}

/** The values that a key accepts, to follow "Write …". */
export function expectation(path: readonly (string | number)[]): string {
  const key = path.filter((part) => typeof part === 'string').join('.')
  switch (key) {
    case 'command':
      return (
        'a string for a shell ("convert ${item} out.png") or an array of strings (["convert", ' +
        '"${item}", "out.png"])'
      )
    case 'module':
      return 'the path of a JavaScript file with its export: "./resize.js#resize"'
    case 'python':
      return 'a module, as it is imported, and a function of it: "package.module:function"'
    case 'pythonPath':
      return 'the path of a Python interpreter, or a name in PATH'
    case 'items.glob':
      return 'a pattern ("src/**/*.js") or an array of patterns'
    case 'items.lines':
      return 'the path of a text file: "urls.txt"'
    case 'items.json':
      return 'the path of a file with a JSON array: "items.json"'
    case 'cwd':
      return 'the path of a folder'
    case 'env':
      return 'an object of strings, with null for a variable to remove: { "LANG": "C", "DEBUG": null }'
    case 'useSigkill':
      return 'true or false'
    case 'termination.save':
      return 'a string for a shell ("./save.sh > save.log") or an array of strings (["python3", "save.py"])'
    default:
      return 'a whole number'
  }
}
