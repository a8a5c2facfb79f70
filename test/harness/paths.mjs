import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout: found by its lock file, so that it is also right in a file that was bundled into test/.artifacts. */
export const repositoryRoot = (() => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package-lock.json'))) {
    if (dirname(folder) === folder)
      throw new Error(`${fileURLToPath(import.meta.url)} is outside any checkout: no package-lock.json above it.`)
    folder = dirname(folder)
  }
  return folder
})()

/** Everything that a test run leaves to be looked at: screenshots, reports, logs. Ignored by git. */
export const artifactsFolder = join(repositoryRoot, 'test', '.artifacts')

/** The workspace that `npm start` and the UI tests open. */
export const demoWorkspace = join(repositoryRoot, 'test', 'fixtures', 'demo')

/** Where downloads that outlive a checkout are kept: the user's cache folder, as the platform names it. */
export function cacheFolder() {
  if (process.env.XDG_CACHE_HOME) return join(process.env.XDG_CACHE_HOME, 'unhang-test')
  return process.platform === 'darwin'
    ? join(homedir(), 'Library', 'Caches', 'unhang-test')
    : join(homedir(), '.cache', 'unhang-test')
}
