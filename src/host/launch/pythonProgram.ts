import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readForeign, type ReadForeign } from '../../files'
import type { DefinitionProblem, PoolDefinition } from '../../protocol/schemas'
import { findPython, PythonNotFoundError } from '../../runtimes'
import { holdsVariable } from './variables'

/** Where a pool's interpreter is searched. */
export interface PythonPlaces {
  /** Absolute. */
  readonly cwd: string
  /** The workspace folder. */
  readonly root: string
  /** Environment of the workers. */
  readonly env: NodeJS.ProcessEnv
  /** The setting `unhang.pythonPath`, with its variables resolved; undefined where settings are not known. */
  readonly setting: { readonly pythonPath: string | undefined } | undefined
  readonly read?: ReadForeign | undefined
}

/** Of one that imports all of a large package. */
const largestInitBytes = 1024 * 1024
/** A hint alone: the start of the worker would report the same. */
const patienceMs = 1000

/** The interpreter of a definition with `python`, and the problems of both. */
export async function checkPython(
  definition: PoolDefinition,
  places: PythonPlaces,
): Promise<{ interpreter: string | undefined; problems: DefinitionProblem[] }> {
  if (definition.python === undefined) return { interpreter: undefined, problems: [] }
  const problems: DefinitionProblem[] = []
  const module = await moduleProblem(definition.python, places.cwd, places.read ?? readForeign)
  if (module) problems.push(module)
  const found = interpreterOf(definition, places)
  if (typeof found === 'string' || found === undefined) return { interpreter: found, problems }
  return { interpreter: undefined, problems: [...problems, found] }
}

function interpreterOf(
  definition: PoolDefinition,
  { cwd, root, env, setting }: PythonPlaces,
): string | DefinitionProblem | undefined {
  const { pythonPath = setting?.pythonPath } = definition
  // It may be in the settings, or come with a variable.
  if ((pythonPath === undefined && setting === undefined) || (pythonPath !== undefined && holdsVariable(pythonPath)))
    return undefined
  try {
    return findPython(pythonPath, cwd, env, root)
  } catch (error) {
    if (!(error instanceof PythonNotFoundError)) throw error
    // The key that can be marked: the task has none for what came from the settings, or from nowhere.
    const key = definition.pythonPath === undefined ? 'python' : 'pythonPath'
    const fromSetting = definition.pythonPath === undefined && setting?.pythonPath !== undefined
    return {
      path: [key],
      code: 'not-found',
      message: fromSetting
        ? error.message.replace('"pythonPath":', '"python": the setting "unhang.pythonPath":')
        : error.message,
    }
  }
}

/**
 * Reports a missing module if that can be known without Python: when its package is a folder of `cwd`. Any other module
 * may come from PYTHONPATH or from an installed package; its worker reports it at the start.
 */
async function moduleProblem(python: string, cwd: string, read: ReadForeign): Promise<DefinitionProblem | undefined> {
  if (holdsVariable(python)) return undefined
  const [module = '', name = 'function'] = python.split(':')
  const parts = module.split('.')
  let folder = cwd
  for (const [index, part] of parts.entries()) {
    const entries = await readdir(folder).catch((): string[] => [])
    const above = parts.slice(0, index).join('.')
    if (entries.includes(part) && (await isFolder(join(folder, part)))) {
      folder = join(folder, part)
    } else if (entries.some((entry) => entry.startsWith(`${part}.`) && /\.(?:pyc?|so|pyd)$/.test(entry))) {
      // `till.py`, or compiled: `till.cpython-313-x86_64-linux-gnu.so`.
      const [next] = parts.slice(index + 1)
      const found = above === '' ? part : `${above}.${part}`
      return next === undefined
        ? undefined
        : notFound(`"${found}" is a module and has none inside. Write "${found}:${next}" for its function "${next}".`)
    } else {
      if (index === 0 || !(await holdsAllItsModules(folder, read))) return undefined
      return notFound(
        `the package "${above}" (${folder}) has no module "${part}". Write package.module:function, as in ` +
          `"${above}:${name}".`,
      )
    }
  }
  return undefined
}

function notFound(fault: string): DefinitionProblem {
  return { path: ['python'], code: 'not-found', message: `"python": ${fault}` }
}

/**
 * A folder without __init__.py is one part of a package that may have others elsewhere, and __init__.py may name other
 * folders.
 */
async function holdsAllItsModules(folder: string, read: ReadForeign): Promise<boolean> {
  const answer = await read(
    { kind: 'text', path: join(folder, '__init__.py'), mostBytes: largestInitBytes },
    { deadlineMs: patienceMs },
  )
  return answer.kind === 'text' && !answer.text.includes('__path__') && !answer.text.includes('sys.modules')
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
