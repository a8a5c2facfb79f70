import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Where the workers' entry point is: beside the bundle that runs (`dist/core.js`, `dist/host.js`), or, when the sources
 * run themselves (tests), in the nearest `dist/` above. @throws Error that says how to make it
 */
export function findWorkerPath(from: string): string {
  const beside = join(from, 'node-worker.js')
  if (existsSync(beside)) return beside
  for (let folder = from; ; folder = dirname(folder)) {
    const built = join(folder, 'dist', 'node-worker.js')
    if (existsSync(built)) return built
    if (dirname(folder) === folder) throw new Error(`node-worker.js is neither in ${from} nor in a dist folder above it: run "npm run build", or give workerPath`)
  }
}
