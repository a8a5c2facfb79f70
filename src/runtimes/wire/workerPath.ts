import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the Node workers' entry point is. @throws Error that says how to make it */
export function findWorkerPath(from: string): string {
  return findBuilt(from, 'node-worker.js')
}

/** Where the entry point of Python workers is. @throws Error that says how to make it */
export function findPythonWorkerPath(from: string): string {
  return findBuilt(from, 'python/worker.py')
}

/** The folder that goes on PYTHONPATH of a watched program. @throws Error that says how to make it */
export function findObserverPath(from: string): string {
  return dirname(findBuilt(from, 'observer/sitecustomize.py'))
}

/**
 * Path of a built file: beside the running bundle (`dist/core.js`, `dist/host.js`), or, when the sources run directly
 * (tests), in the nearest `dist/` above.
 */
function findBuilt(from: string, file: string): string {
  const beside = join(from, file)
  if (existsSync(beside)) return beside
  for (let folder = from; ; folder = dirname(folder)) {
    const built = join(folder, 'dist', file)
    if (existsSync(built)) return built
    if (dirname(folder) === folder)
      throw new Error(
        `${file} is neither in ${from} nor in a dist folder above it: run "npm run build", or give workerPath`,
      )
  }
}
