import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Where the entry point of Python workers is: beside the bundle that runs (`dist/core.js`, `dist/host.js`), or, when the sources
 * run themselves (tests), in the nearest `dist/` above. @throws Error that says how to make it
 */
export function findPythonWorkerPath(from: string): string {
  const beside = join(from, 'python', 'worker.py')
  if (existsSync(beside)) return beside
  for (let folder = from; ; folder = dirname(folder)) {
    const built = join(folder, 'dist', 'python', 'worker.py')
    if (existsSync(built)) return built
    if (dirname(folder) === folder) throw new Error(`python/worker.py is neither in ${from} nor in a dist folder above it: run "npm run build", or give workerPath`)
  }
}
