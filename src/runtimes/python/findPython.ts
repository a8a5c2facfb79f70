import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'

/** No Python interpreter where one was looked for. */
export class PythonNotFoundError extends Error {
  override readonly name = 'PythonNotFoundError'
  /** The option to set. */
  readonly field = 'pythonPath'
  constructor(
    /** What was asked for, if anything. */
    readonly pythonPath: string | undefined,
    message: string,
  ) {
    super(message)
  }
}

const onWindows = process.platform === 'win32'
/** Where a virtual environment keeps its interpreter. */
const inEnvironment = onWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']
const environments = ['.venv', 'venv']
/** `py` is the launcher that Windows' installer puts on PATH, while `python` may be the Store's placeholder. */
const names = onWindows ? ['py.exe', 'python3.exe', 'python.exe'] : ['python3', 'python']

/**
 * Absolute path of the interpreter for Python workers: the requested one; else that of a virtual environment `.venv` or
 * `venv` in `cwd`, or in a folder above it up to `root`; else `python3`, else `python` on PATH (`py` on Windows). Links
 * are kept: a virtual environment's interpreter is a link, and belongs to the environment only by that name. The worker
 * itself checks that it runs on 3.8 or later (worker.py), which saves a process.
 * @param root The workspace folder. Default: `cwd` alone is looked at.
 * @throws PythonNotFoundError
 */
export function findPython(
  pythonPath: string | undefined,
  cwd: string,
  env: NodeJS.ProcessEnv,
  root: string = cwd,
): string {
  if (pythonPath !== undefined && pythonPath !== '') {
    const found =
      isAbsolute(pythonPath) || /[\\/]/.test(pythonPath)
        ? program(resolve(cwd, pythonPath))
        : onPath(pythonPath, cwd, env)
    if (found !== undefined) return found
    throw new PythonNotFoundError(pythonPath, notThere(pythonPath, cwd))
  }
  for (const folder of foldersUpTo(root, cwd)) {
    for (const environment of environments) {
      const found = program(join(folder, environment, ...inEnvironment))
      if (found !== undefined) return found
    }
  }
  for (const name of names) {
    const found = onPath(name, cwd, env)
    if (found !== undefined) return found
  }
  throw new PythonNotFoundError(
    undefined,
    `"pythonPath": there is no Python: no .venv or venv in ${cwd}, and neither ${names.join(' nor ')} in PATH. ` +
      'Install Python 3.8 or later, or write the path of its interpreter.',
  )
}

function notThere(pythonPath: string, cwd: string): string {
  const fix =
    'Write the path of a Python interpreter (3.8 or later), relative to "cwd", or a name that is in PATH; leave ' +
    'it out for the one of .venv or PATH.'
  if (!isAbsolute(pythonPath) && !/[\\/]/.test(pythonPath))
    return `"pythonPath": "${pythonPath}" was not found in PATH. ${fix}`
  const path = resolve(cwd, pythonPath)
  const kind = kindOf(path)
  const fault =
    kind === 'file' ? `${path} is not executable` : kind === 'folder' ? `${path} is a folder` : `there is no ${path}`
  return `"pythonPath": ${fault}. ${fix}`
}

/** `cwd`, and what is above it up to `root`. */
function foldersUpTo(root: string, cwd: string): string[] {
  const folders = [resolve(cwd)]
  const top = resolve(root)
  for (let folder = resolve(cwd); folder !== top; folder = dirname(folder)) {
    // Not inside the root.
    if (dirname(folder) === folder) return [resolve(cwd), top]
    folders.push(dirname(folder))
  }
  return folders
}

function onPath(name: string, cwd: string, env: NodeJS.ProcessEnv): string | undefined {
  // execvp() uses these when there is no PATH.
  for (const folder of (env.PATH ?? env.Path ?? '/usr/local/bin:/bin:/usr/bin').split(delimiter)) {
    if (folder === '') continue
    for (const extension of onWindows ? ['', '.exe'] : ['']) {
      const found = program(resolve(cwd, folder, name + extension))
      if (found !== undefined) return found
    }
  }
  return undefined
}

function program(path: string): string | undefined {
  if (kindOf(path) !== 'file') return undefined
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch {
    return undefined
  }
}
