import { constants, type Stats } from 'node:fs'
import { lstat, open, rm, type FileHandle } from 'node:fs/promises'
import { userId } from './userFolders'

/** Files of the runtime folder are small; a larger file was not written by Unhang. */
const largestBytes = 64 * 1024 * 1024

/**
 * Error codes of open(2) and read(2) for a name that is no regular file of this user: a folder, link, pipe or socket,
 * or a file without permission.
 */
const foreignCodes = new Set(['EISDIR', 'ELOOP', 'ENXIO', 'EACCES', 'EPERM', 'ENOTDIR', 'EMLINK', 'ENODEV', 'ETXTBSY'])

/**
 * The result of reading a name in the runtime folder: `missing`, `foreign` (no file that Unhang could have written), or
 * its text.
 */
export type RuntimeText = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'missing' | 'foreign' }

/**
 * Reads a small file of the runtime folder. A pipe, link or folder under its name is no obstacle: links are not
 * followed, and opening does not block. Throws errors that do not depend on the name, such as EMFILE or EIO.
 */
export async function readRuntimeText(path: string): Promise<RuntimeText> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | noFollow)
  } catch (error) {
    return { kind: kindOf(error) }
  }
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > largestBytes) return { kind: 'foreign' }
    return { kind: 'text', text: await file.readFile('utf8') }
  } finally {
    await file.close()
  }
}

/**
 * Opens an empty file of the runtime folder for writing; anything but a regular file under its name is removed first.
 */
export async function openRuntimeFile(path: string): Promise<FileHandle> {
  await removeForeign(path, 'file')
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | noFollow, 0o600)
  try {
    if ((await file.stat()).isFile()) return file
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  throw new Error(`${path} is not a regular file.`)
}

/**
 * Removes a name of the runtime folder if it is not of the kind that belongs there. The folder belongs to this user
 * alone, so removing anything in it is safe; of a link, the link itself is removed.
 * @returns true when something was removed.
 */
export async function removeForeign(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  let found: Stats
  try {
    found = await lstat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  const uid = userId()
  // A file that its owner cannot read or write, or that `sudo` left, is unusable.
  const isUsable = uid === undefined || (found.uid === uid && (found.mode & 0o600) === 0o600)
  if (isUsable && (kind === 'folder' ? found.isDirectory() : found.isFile())) return false
  await rm(path, { recursive: true, force: true })
  return true
}

/** Windows has neither flag. */
const noFollow = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK

function kindOf(error: unknown): 'missing' | 'foreign' {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'missing'
  if (code !== undefined && foreignCodes.has(code)) return 'foreign'
  throw error
}
