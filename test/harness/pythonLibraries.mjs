import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { canInstallPackages, installPackages } from './debianPackages.mjs'

/** Debian's packages are for Debian's own interpreter. */
const interpreter = '/usr/bin/python3'
const libraries = ['joblib', 'billiard']

/**
 * Installs what programs under watch make pools with besides the standard library. Where that cannot be, their tests
 * are skipped and say so.
 */
export async function ensurePythonLibraries() {
  if (!existsSync(interpreter) || !canInstallPackages()) return
  const missing = libraries.filter((name) => !hasModule(name))
  if (missing.length === 0) return
  await installPackages(missing.map((name) => `python3-${name}`)).catch((/** @type {Error} */ error) => {
    console.error(error.message)
  })
}

/** @param {string} name */
function hasModule(name) {
  try {
    execFileSync(interpreter, ['-c', `import ${name}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
