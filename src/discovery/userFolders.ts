import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'

/**
 * Number of this process's user, undefined on Windows. Not `userInfo().uid`, which fails for a user without a name, as
 * containers often have (`docker run --user`, OpenShift, Kubernetes' `runAsUser`).
 */
export function userId(): number | undefined {
  return process.getuid?.()
}

/** The user's home folder; undefined for a user without one (no HOME, no line in passwd). */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = process.platform === 'win32' ? env.USERPROFILE : env.HOME
  if (named !== undefined && named !== '') return named
  try {
    const found = homedir()
    return found === '' ? undefined : found
  } catch {
    // ENOENT of getpwuid(): no user has that number.
    return undefined
  }
}

/**
 * The folder for temporary files of this system, absolute. A relative TMPDIR is ignored: it names another folder in
 * every working folder, and client and host would not find each other.
 */
export function temporaryFolder(env: NodeJS.ProcessEnv = process.env): string {
  const named = [env.TMPDIR, env.TMP, env.TEMP].find((folder) => folder !== undefined && isAbsolute(folder))
  return named ?? '/tmp'
}
