import { canInstallPackages, findOnPath, installPackages } from './debian-packages.mjs'

/** Programs of the user's that wait for commands, by the Debian package that has them. */
const packageOf = { make: 'make', ninja: 'ninja-build', parallel: 'parallel', gdb: 'gdb' }

/** Installs what is ended in the next-line tests. Where that cannot be, those tests are skipped and their names say why. */
export async function ensureBuildTools() {
  const missing = Object.entries(packageOf).filter(([program]) => findOnPath(program) === undefined).map(([, name]) => name)
  if (missing.length === 0 || !canInstallPackages()) return
  await installPackages(missing).catch((/** @type {Error} */ error) => { console.error(error.message) })
}
