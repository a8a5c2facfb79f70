import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'

/**
 * Number of this process's user, undefined on Windows. Not `userInfo().uid`: that looks the user up by name, and in a
 * container a user often has a number alone (`docker run --user`, OpenShift, Kubernetes' `runAsUser`).
 */
export function userId(): number | undefined {
  return process.getuid?.()
}

/** The user's home folder; undefined for a user who has none: no HOME, and no line in passwd. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = process.platform === 'win32' ? env.USERPROFILE : env.HOME
  if (named !== undefined && named !== '') return named
  try {
    const found = homedir()
    return found === '' ? undefined : found
  } catch {
    // ENOENT of getpwuid(): nobody by that number.
    return undefined
  }
}

/**
 * The folder for temporary files of this system, absolute. A relative TMPDIR is passed over: to every process it would
 * be a folder below its own current one, and client and host would look for each other in two places.
 */
export function temporaryFolder(env: NodeJS.ProcessEnv = process.env): string {
  const named = [env.TMPDIR, env.TMP, env.TEMP].find((folder) => folder !== undefined && isAbsolute(folder))
  return named ?? '/tmp'
}
