import * as z from 'zod'
import { closest } from './closest'
import {
  itemsSchema,
  poolDefinitionSchema,
  poolTaskKeys,
  programKeys,
  type PoolDefinition,
  type PoolTaskKey,
} from './definition'
import { terminationSchema } from './termination'

export type ProblemCode =
  /** A key that means nothing here. */
  | 'unknown-key'
  /** Two keys that exclude each other. */
  | 'conflict'
  | 'missing'
  | 'wrong-type'
  | 'out-of-range'
  /** What a value names (a file, a folder, a program, a task) is not there. */
  | 'not-found'
  /** A `${variable}` that cannot be resolved here. */
  | 'unresolved-variable'
  /** A file that is there but cannot be read as what it should be. */
  | 'unreadable'
  /** An item would be read as code. */
  | 'unsafe'

/** Why a definition cannot run: where, and what to write instead. */
export interface DefinitionProblem {
  readonly path: readonly (string | number)[]
  readonly code: ProblemCode
  /** Names the key and says what to write instead. */
  readonly message: string
}

/** `items.glob`, `command[0]`: a path as people write it. */
export function keyOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (key, part) => (typeof part === 'number' ? `${key}[${part}]` : key === '' ? part : `${key}.${part}`),
    '',
  )
}

/** What VS Code itself reads from a task of any type. */
const editorKeys = new Set([
  'type',
  'label',
  'taskName',
  'identifier',
  'group',
  'presentation',
  'problemMatcher',
  'dependsOn',
  'dependsOrder',
  'detail',
  'icon',
  'hide',
  'isBackground',
  'runOptions',
  'promptOnClose',
  'windows',
  'linux',
  'osx',
  'inputs',
  '$schema',
])

/** Keys that people expect from other task types, with what to write here. */
const insteadOf: Readonly<Record<string, string>> = {
  args: 'Write the arguments into "command": ["program", "argument", "${item}"].',
  options: 'Write "cwd" and "env" directly into the task.',
  script: 'Write "command" (a program), "module" (a JavaScript file) or "python" (a Python module).',
  workers: 'Write "processes".',
  concurrency: 'Write "processes".',
  timeout: 'Write "timeoutMs", in milliseconds.',
}

/** The definition, or everything that is wrong with it. */
export type Validated =
  | { readonly ok: true; readonly definition: PoolDefinition }
  | { readonly ok: false; readonly problems: DefinitionProblem[] }

/**
 * Checks what can be told from the definition alone; files, folders and programs are looked up by the host at launch.
 */
export function validateDefinition(definition: unknown): Validated {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) {
    return {
      ok: false,
      problems: [
        {
          path: [],
          code: 'wrong-type',
          message:
            'A pool task is an object with "command", "module" or "python", and "items"; this is ' +
            `${shown(definition)}.`,
        },
      ],
    }
  }
  const given = definition as Record<string, unknown>
  const problems = [...keyProblems(given), ...programProblems(given)]
  for (const key of Object.keys(poolTaskKeys) as PoolTaskKey[]) {
    if (given[key] === undefined) continue
    problems.push(...problemsOf(key, given[key]))
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, definition: poolDefinitionSchema.parse(given) }
}

function keyProblems(given: Record<string, unknown>): DefinitionProblem[] {
  const problems: DefinitionProblem[] = []
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(poolTaskKeys, key) || editorKeys.has(key)) continue
    const advice = Object.hasOwn(insteadOf, key) ? insteadOf[key] : undefined
    const meant = closest(key, Object.keys(poolTaskKeys))
    problems.push({
      path: [key],
      code: 'unknown-key',
      message: `"${key}" is no key of a pool task. ${advice ?? (meant === undefined ? 'Remove it.' : `Did you mean "${meant}"?`)}`,
    })
  }
  return problems
}

function programProblems(given: Record<string, unknown>): DefinitionProblem[] {
  const problems: DefinitionProblem[] = []
  const programs = programKeys.filter((key) => given[key] !== undefined)
  const [first, second] = programs
  if (first !== undefined && second !== undefined) {
    problems.push({
      path: [second],
      code: 'conflict',
      message: `"${first}" and "${second}" exclude each other. Keep the one that runs the tasks.`,
    })
  }
  if (first === undefined) {
    problems.push({
      path: [],
      code: 'missing',
      message:
        'Nothing to run: write "command": ["program", "${item}"], "module": "./file.js#export", "python": ' +
        '"package.module:function" or "program": ["python3", "train.py"].',
    })
  }
  if (first === 'program') return [...problems, ...meaninglessFor(given)]
  if (given.recordArguments !== undefined && first !== undefined) {
    problems.push({
      path: ['recordArguments'],
      code: 'conflict',
      message: `"recordArguments" means nothing with "${first}": it is about the tasks of a "program". Remove it.`,
    })
  }
  if (given.items === undefined) {
    problems.push({
      path: [],
      code: 'missing',
      message:
        '"items" is missing: write an array, { "glob": "src/**/*.js" }, { "lines": "file.txt" }, { "json": ' +
        '"file.json" } or { "range": [0, 10] }.',
    })
  }
  if (given.pythonPath !== undefined && first !== undefined && given.python === undefined) {
    problems.push({
      path: ['pythonPath'],
      code: 'conflict',
      message: `"pythonPath" means nothing with "${first}": it is the interpreter of "python". Remove it.`,
    })
  }
  if (given.command === undefined) return problems
  for (const key of ['maxTasksPerChild', 'maxMemoryPerChildMb', 'chunkSize'] as const) {
    if (given[key] === undefined) continue
    problems.push({
      path: [key],
      code: 'conflict',
      message: `"${key}" means nothing with "command": each task is a fresh process. Remove it.`,
    })
  }
  return problems
}

/** A program decides itself what it runs, in which workers, and how often. */
function meaninglessFor(given: Record<string, unknown>): DefinitionProblem[] {
  const ofOurPools = [
    'items',
    'processes',
    'chunkSize',
    'maxTasksPerChild',
    'maxMemoryPerChildMb',
    'timeoutMs',
    'retries',
    'onFailure',
    'pythonPath',
    'termination',
  ] as const
  return ofOurPools
    .filter((key) => given[key] !== undefined)
    .map((key) => ({
      path: [key],
      code: 'conflict',
      message: `"${key}" means nothing with "program": a program makes its pools itself. Remove it.`,
    }))
}

function problemsOf(key: PoolTaskKey, value: unknown): DefinitionProblem[] {
  switch (key) {
    case 'items':
      return itemsProblems(value)
    case 'termination':
      return terminationProblems(value)
    case 'python':
      return pythonProblems(value)
    default:
      return valueProblems(poolTaskKeys[key], value, [key])
  }
}

/** `till.py` could be the module `py` of a package; whoever writes it means the file. */
function isPythonName(text: string): boolean {
  return pythonName.test(text) && !/\.py(?::|$)/.test(text)
}

const pythonName = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*(?::[\p{L}_][\p{L}\p{N}_]*)?$/u

function pythonProblems(python: unknown): DefinitionProblem[] {
  const problems = valueProblems(poolTaskKeys.python, python, ['python'])
  // What stands for a variable is not known yet.
  if (problems.length > 0 || typeof python !== 'string' || isPythonName(python) || python.includes('${'))
    return problems
  const imported = importedName(python)
  const advice =
    imported === undefined
      ? `Write ${expectation(['python'])}`
      : `Write it as it is imported, from the folder that is "cwd": "${imported}"`
  return [
    {
      path: ['python'],
      code: 'out-of-range',
      message: `"python" is ${shown(python)}, which names no module of Python. ${advice}.`,
    },
  ]
}

/** `./shop/till.py:total`, `shop/till#total` → `shop.till:total`: what whoever writes a path means. */
function importedName(path: string): string | undefined {
  const [file = '', name] = path.split(/[:#]/)
  const dotted = file
    .replace(/^(?:\.\/)+/, '')
    .replace(/(?:\/__init__)?\.py$/, '')
    .replaceAll(/[\\/]/g, '.')
  const imported = name === undefined || name === '' ? `${dotted}:function` : `${dotted}:${name.replace(/\(.*\)$/, '')}`
  return pythonName.test(imported) ? imported : undefined
}

function terminationProblems(termination: unknown): DefinitionProblem[] {
  if (typeof termination !== 'object' || termination === null || Array.isArray(termination)) {
    return [
      {
        path: ['termination'],
        code: 'wrong-type',
        message:
          `"termination" is ${shown(termination)}. Write an object: { "platform": "slurm", "save": "./save.sh" }, ` +
          'or {} to take everything from the platform.',
      },
    ]
  }
  const known = new Map(Object.entries<z.ZodType>(terminationSchema.shape))
  return Object.entries(termination).flatMap(([key, value]) => {
    const path = ['termination', key]
    const schema = known.get(key)
    if (schema) return value === undefined ? [] : valueProblems(schema, value, path)
    const meant = closest(key, known.keys())
    return [
      {
        path,
        code: 'unknown-key' as const,
        message:
          `"termination.${key}" is no key of "termination". ` +
          (meant === undefined
            ? `There are ${[...known.keys()].map((one) => `"${one}"`).join(', ')}.`
            : `Did you mean "${meant}"?`),
      },
    ]
  })
}

const itemsAdvice = 'Write an array, or an object with exactly one of "glob", "lines", "json" and "range"'

function itemsProblems(items: unknown): DefinitionProblem[] {
  if (Array.isArray(items)) return []
  if (typeof items !== 'object' || items === null) {
    return [{ path: ['items'], code: 'wrong-type', message: `"items" is ${shown(items)}. ${itemsAdvice}.` }]
  }
  const sources = itemsSchema.options.flatMap((option) =>
    option instanceof z.ZodObject ? Object.entries<z.ZodType>(option.shape) : [],
  )
  const known = new Map(sources)
  const keys = Object.keys(items)
  const unknown = keys.filter((key) => !known.has(key))
  if (unknown.length > 0) {
    return unknown.map((key) => {
      const meant = closest(key, known.keys())
      return {
        path: ['items', key],
        code: 'unknown-key',
        message: `"items.${key}" is no source of items. ${meant === undefined ? `${itemsAdvice}.` : `Did you mean "${meant}"?`}`,
      }
    })
  }
  const [key, other] = keys
  if (key === undefined)
    return [{ path: ['items'], code: 'missing', message: `"items" is an empty object. ${itemsAdvice}.` }]
  if (other !== undefined)
    return [
      {
        path: ['items', other],
        code: 'conflict',
        message: `"items.${key}" and "items.${other}" exclude each other. Keep one of them.`,
      },
    ]
  const value = (items as Record<string, unknown>)[key]
  if (key === 'range') return rangeProblems(value)
  const schema = known.get(key)
  return schema ? valueProblems(schema, value, ['items', key]) : []
}

function rangeProblems(range: unknown): DefinitionProblem[] {
  const path = ['items', 'range']
  if (
    !Array.isArray(range) ||
    range.length < 2 ||
    range.length > 3 ||
    !range.every((part) => typeof part === 'number')
  ) {
    return [
      {
        path,
        code: 'wrong-type',
        message: `"items.range" is ${shown(range)}. Write two or three numbers, [start, end, step]: [0, 100, 10].`,
      },
    ]
  }
  const [start = 0, end = 0, step = 1] = range
  if (step === 0)
    return [
      {
        path: [...path, 2],
        code: 'out-of-range',
        message: '"items.range" has a step of 0 and would never end. Write a step above or below 0.',
      },
    ]
  if ((end - start) / step <= 0) {
    return [
      {
        path,
        code: 'out-of-range',
        message:
          `"items.range" from ${start} to ${end} by ${step} holds no number. Write an end ` +
          `${step > 0 ? 'above' : 'below'} ${start}, or ${step > 0 ? 'a negative' : 'a positive'} step.`,
      },
    ]
  }
  return []
}

/** Zod's issues in words that name the key and say what to write. */
function valueProblems(schema: z.ZodType, value: unknown, path: (string | number)[]): DefinitionProblem[] {
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
 * Of a union's branches, the one for the kind of value that was given: what is wrong inside an array, not "no array".
 */
function deepest(issue: z.core.$ZodIssue, value: unknown): Located {
  if (issue.code !== 'invalid_union') return { issue, depth: [...issue.path] }
  const nested = issue.errors.flat().map((inner) => deepest(inner, value))
  const inner = nested.find((one) => one.depth.length > 0) ?? nested.find((one) => one.issue.code !== 'invalid_type')
  return inner ? { issue: inner.issue, depth: [...issue.path, ...inner.depth] } : { issue, depth: [...issue.path] }
}

/** What a key holds, for "Write …". */
function expectation(path: readonly (string | number)[]): string {
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

/** A value as it stands in the file, cut short. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
