import { canInstallPackages, findOnPath, installPackages } from './debianPackages.mjs'

/** Programs that tests run or preload, by the Debian package that has them. */
const packageOf = { make: 'make', ninja: 'ninja-build', parallel: 'parallel', gdb: 'gdb', faketime: 'faketime' }

/**
 * Installs what is ended in the next-line tests, and what sets the clock in `hostile`. Where that cannot be, those
 * tests are skipped and their names say why.
 */
export async function ensureBuildTools() {
  const missing = Object.entries(packageOf)
    .filter(([program]) => findOnPath(program) === undefined)
    .map(([, name]) => name)
  if (missing.length === 0 || !canInstallPackages()) return
  await installPackages(missing).catch((/** @type {Error} */ error) => {
    console.error(error.message)
  })
}
