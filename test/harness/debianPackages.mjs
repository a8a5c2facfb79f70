import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './commands.mjs'
import { step } from './steps.mjs'

/**
 * The full path of a program on PATH.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findOnPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name)
    if (folder !== '' && existsSync(file)) return file
  }
  return undefined
}

/** Whether Debian packages can be installed here without asking anybody. */
export function canInstallPackages() {
  return process.platform === 'linux' && process.getuid?.() === 0 && findOnPath('apt-get') !== undefined
}

/**
 * Installs Debian packages, as root.
 * @param {string[]} names
 * @throws {import('./commands.mjs').CommandFailedError}
 */
export async function installPackages(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // The lock's own wait: another apt run on the machine is waited for instead of failing.
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  await step(`Installing Debian packages: ${names.join(', ')}`, async () => {
    if (!hasPackageLists()) await run('apt-get', [...options, 'update'], { env, timeoutMs: 10 * 60_000 })
    const install = () =>
      run('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...names], {
        env,
        timeoutMs: 20 * 60_000,
      })
    try {
      await install()
    } catch {
      // Lists that are out of date name files that no longer exist.
      await run('apt-get', [...options, 'update'], { env, timeoutMs: 10 * 60_000 })
      await install()
    }
  })
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.endsWith('_Packages') || name.endsWith('.lz4'))
  } catch {
    return false
  }
}
