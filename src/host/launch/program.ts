import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { keyOf, type DefinitionProblem, type PoolDefinition } from '../../protocol/schemas'
import { isPlainNumber, secondReadings } from '../../runtimes'
import { holdsVariable } from './variables'

/** Problems of the program and of the `save` command: a module or an executable that does not exist. */
export async function programProblems(
  definition: PoolDefinition,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<DefinitionProblem[]> {
  const worker =
    definition.module !== undefined
      ? moduleProblem(definition.module, cwd)
      : definition.program === undefined
        ? commandProblem(definition.command, ['command'], cwd, env)
        : commandProblem(definition.program, ['program'], cwd, env)
  // That it is not there should be known before it is needed.
  const save = commandProblem(definition.termination?.save, ['termination', 'save'], cwd, env)
  return [
    ...(await Promise.all([worker, save])).filter((problem) => problem !== undefined),
    ...codeProblems(definition),
  ]
}

/**
 * The item stands where a program reads it as code. Numbers are none: those of a range, or the ones that are listed.
 */
function codeProblems({ command, items }: PoolDefinition): DefinitionProblem[] {
  if (command === undefined || onlyNumbers(items)) return []
  // A string is one key: the first problem in it is enough, the next is reported once that is mended.
  return secondReadings(command)
    .slice(0, 1)
    .map(({ index, reader, advice }) => {
      const path = index === undefined ? ['command'] : ['command', index]
      return {
        path,
        code: 'unsafe',
        message:
          `"${keyOf(path)}": ${reader} would read \${item} as code, so that an item like $(touch x) ` +
          `runs. ${advice}`,
      }
    })
}

function onlyNumbers(items: PoolDefinition['items']): boolean {
  if (items === undefined) return true
  return Array.isArray(items)
    ? items.every((item) => (typeof item === 'number' || typeof item === 'string') && isPlainNumber(String(item)))
    : 'range' in items
}

/** `./file.js#name` → file and export; a `#` in a folder's name does not count when an export follows later. */
export function splitModule(module: string): { file: string; exportName: string | undefined } {
  const at = module.lastIndexOf('#')
  if (at < 0) return { file: module, exportName: undefined }
  return { file: module.slice(0, at), exportName: module.slice(at + 1) }
}

async function moduleProblem(module: string, cwd: string): Promise<DefinitionProblem | undefined> {
  const { file, exportName } = splitModule(module)
  const path = ['module']
  if (exportName === '')
    return {
      path,
      code: 'missing',
      message:
        `"module": there is no name after the # in "${module}". Write the export's name, or leave the # out for ` +
        'the default export.',
    }
  if (holdsVariable(file)) return undefined
  const absolute = resolve(cwd, file)
  if (await isFile(absolute)) return undefined
  for (const extension of ['.js', '.mjs', '.cjs', '/index.js']) {
    if (await isFile(absolute + extension)) {
      return {
        path,
        code: 'not-found',
        message:
          `"module": there is no file "${file}". Did you mean ` +
          `"${file}${extension}${exportName === undefined ? '' : `#${exportName}`}"?`,
      }
    }
  }
  return {
    path,
    code: 'not-found',
    message:
      `"module": there is no file "${file}" (looked for ${absolute}). Write the path of a JavaScript file, ` +
      'relative to "cwd".',
  }
}

async function commandProblem(
  command: string | readonly string[] | undefined,
  key: string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<DefinitionProblem | undefined> {
  // A shell reports a missing program itself.
  if (command === undefined || typeof command === 'string') return undefined
  const [program = ''] = command
  const path = [...key, 0]
  const name = keyOf(path)
  if (program === '') return { path, code: 'missing', message: `"${name}" is empty. Write the program to run.` }
  if (holdsVariable(program)) return undefined
  if (program.includes('/') || (process.platform === 'win32' && program.includes('\\'))) {
    const absolute = isAbsolute(program) ? program : resolve(cwd, program)
    if (await isProgram(absolute)) return undefined
    if (await isFile(absolute))
      return {
        path,
        code: 'not-found',
        message:
          `"${name}": ${absolute} is not executable. Use \`chmod +x\`, or name the program that runs it first: ` +
          `["node", "${program}"].`,
      }
    return {
      path,
      code: 'not-found',
      message: `"${name}": there is no program ${absolute}. Write a path relative to "cwd", or a name that is in PATH.`,
    }
  }
  for (const folder of searchPath(env)) {
    for (const extension of programExtensions(env))
      if (await isProgram(join(folder, program + extension))) return undefined
  }
  return {
    path,
    code: 'not-found',
    message:
      `"${name}": "${program}" was not found in PATH. Install it, or write its full path. (For shell syntax write ` +
      `"${keyOf(key)}" as one string.)`,
  }
}

function searchPath(env: NodeJS.ProcessEnv): string[] {
  // Without PATH, execvp searches here.
  const path = env.PATH ?? env.Path ?? '/bin:/usr/bin'
  return path.split(delimiter).filter((folder) => folder !== '')
}

function programExtensions(env: NodeJS.ProcessEnv): string[] {
  return process.platform === 'win32' ? ['', ...(env.PATHEXT ?? '.COM;.EXE;.BAT;.CMD').split(';')] : ['']
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

async function isProgram(path: string): Promise<boolean> {
  return (
    (await isFile(path)) &&
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
  )
}
