import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './paths.mjs'

/**
 * The program of an installed development tool (`eslint`, `vitest` …), looked for as Node looks for packages.
 * @param {string} name
 */
export function toolPath(name) {
  const file = process.platform === 'win32' ? `${name}.cmd` : name
  for (let folder = repositoryRoot; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', file)
    if (existsSync(candidate)) return candidate
    if (dirname(folder) === folder)
      throw new Error(`${name} is not installed. Run \`npm ci --ignore-scripts\` in ${repositoryRoot}.`)
  }
}
