import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/**
 * Absolute path of a program, or undefined when there is none. Looked up once for a whole pool: in every child execvp()
 * would try all folders of PATH again, and could not distinguish a missing program from a missing folder. On Windows
 * the system's own rules (PATHEXT) apply, so the name is returned unchanged.
 */
export function findProgram(program: string, cwd: string, pathVariable: string | undefined): string | undefined {
  if (process.platform === 'win32') return program
  if (program.includes('/')) {
    const path = resolve(cwd, program)
    return isExecutable(path) ? path : undefined
  }
  // execvp() uses these when there is no PATH.
  for (const folder of (pathVariable ?? '/usr/local/bin:/bin:/usr/bin').split(delimiter)) {
    const path = join(isAbsolute(folder) ? folder : resolve(cwd, folder), program)
    if (isExecutable(path)) return path
  }
  return undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
