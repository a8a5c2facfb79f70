import { serialize } from 'node:v8'
import { packArguments, UnsendableError } from './arguments'
import { PoolOptionError } from './errors'
import { findWorkerPath, spawnNodeWorker } from '../runtimes'
import type { InitMessage } from '../runtimes'
import type { PersistentSettings } from './options'
import type { PersistentRuntime } from './persistent-worker'

/**
 * How workers with these settings are started.
 * @throws PoolOptionError when `initargs` cannot be sent
 * @throws Error when the workers' entry point is not there
 */
export function runtimeOf(settings: PersistentSettings): PersistentRuntime {
  checkInitargs(settings)
  const { module, exportName, initializer, initargs, maxMemoryPerChildBytes, cwd } = settings
  const message: InitMessage = {
    module, defaultExport: exportName === 'default' ? null : exportName, initializer, initargs, maxMemoryBytes: maxMemoryPerChildBytes ?? null,
  }
  const workerPath = settings.workerPath ?? findWorkerPath(__dirname)
  if (settings.kind === 'python') throw new Error('not yet')
  return {
    values: 'clone',
    init: serialize(message),
    spawn: (claimsFd, marker) => spawnNodeWorker({ nodePath: settings.nodePath, cwd, workerPath, env: { ...settings.env, UNHANG_WORKER: marker }, claimsFd }),
  }
}

function checkInitargs({ initargs, kind }: PersistentSettings): void {
  try {
    packArguments(initargs, kind === 'python' ? 'json' : 'clone', 'initargs')
  } catch (error) {
    throw new PoolOptionError('initargs', error instanceof UnsendableError ? `${error.part.path} cannot be sent to a worker: ${error.part.detail}` : String(error))
  }
}
