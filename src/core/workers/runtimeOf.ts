import { serialize } from 'node:v8'
import { packArguments, UnsendableError } from '../terms/arguments'
import { PoolOptionError } from '../terms/errors'
import {
  findPython,
  findPythonWorkerPath,
  findWorkerPath,
  PythonNotFoundError,
  spawnNodeWorker,
  spawnPythonWorker,
} from '../../runtimes'
import type { InitMessage } from '../../runtimes'
import type { PersistentSettings, PythonSettings } from '../terms/options'
import type { PersistentRuntime } from './persistentRuntime'

/**
 * How workers with these settings are started.
 * @throws PoolOptionError when `initargs` cannot be sent, or there is no Python
 * @throws Error when the workers' entry point is not there
 */
export function runtimeOf(settings: PersistentSettings): PersistentRuntime {
  checkInitargs(settings)
  const { module, exportName, initializer, initargs, maxMemoryPerChildBytes, cwd } = settings
  const message: InitMessage = {
    module,
    defaultExport: exportName === 'default' ? null : exportName,
    initializer,
    initargs,
    maxMemoryBytes: maxMemoryPerChildBytes ?? null,
  }
  if (settings.kind === 'python') return pythonRuntime(settings, message)
  const workerPath = settings.workerPath ?? findWorkerPath(__dirname)
  return {
    values: 'clone',
    init: serialize(message),
    spawn: (claimsFd, marker) =>
      spawnNodeWorker({
        nodePath: settings.nodePath,
        cwd,
        workerPath,
        env: { ...settings.env, UNHANG_WORKER: marker },
        claimsFd,
      }),
  }
}

function pythonRuntime(settings: PythonSettings, message: InitMessage): PersistentRuntime {
  const { cwd, env } = settings
  const workerPath = settings.workerPath ?? findPythonWorkerPath(__dirname)
  const pythonPath = findInterpreter(settings)
  return {
    values: 'json',
    init: Buffer.from(JSON.stringify(message), 'utf8'),
    spawn: (claimsFd, marker) =>
      spawnPythonWorker({ pythonPath, cwd, workerPath, env: { ...env, UNHANG_WORKER: marker }, claimsFd }),
  }
}

function findInterpreter({ pythonPath, cwd, env }: PythonSettings): string {
  try {
    return findPython(pythonPath, cwd, env)
  } catch (error) {
    if (error instanceof PythonNotFoundError)
      throw new PoolOptionError('pythonPath', error.message.replace(/^"pythonPath": /, ''))
    throw error
  }
}

function checkInitargs({ initargs, kind }: PersistentSettings): void {
  try {
    packArguments(initargs, kind === 'python' ? 'json' : 'clone', 'initargs')
  } catch (error) {
    throw new PoolOptionError(
      'initargs',
      error instanceof UnsendableError
        ? `${error.part.path} cannot be sent to a worker: ${error.part.detail}`
        : String(error),
    )
  }
}
