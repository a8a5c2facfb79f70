import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmEnvironment, run } from './commands.mjs'
import { repositoryRoot } from './paths.mjs'
import { say, step } from './steps.mjs'

const stampFile = join(repositoryRoot, 'node_modules', '.unhang-lock-hash')
const lockFile = join(repositoryRoot, 'package-lock.json')

/** Content, not modification time: a checkout or a branch switch touches files without changing them. */
function lockHash() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex')
}

/**
 * Makes node_modules match the lock file: installs when it is missing or was installed from another lock file.
 * Scripts of packages are not run (none that we use needs them).
 */
export async function installDependencies() {
  const wanted = lockHash()
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return
  if (nodeModulesFromElsewhere()) {
    say('Dependencies come from a node_modules above this checkout; not installing')
    return
  }
  await step('Installing dependencies (npm ci)', () =>
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: repositoryRoot,
      env: npmEnvironment(),
      timeoutMs: 15 * 60_000,
    }),
  )
  writeFileSync(stampFile, wanted)
}

/**
 * A git worktree inside the main checkout finds the main checkout's node_modules by walking up, as Node itself does.
 */
function nodeModulesFromElsewhere() {
  return (
    !existsSync(join(repositoryRoot, 'node_modules')) &&
    existsSync(join(repositoryRoot, '..', 'node_modules', 'esbuild'))
  )
}
