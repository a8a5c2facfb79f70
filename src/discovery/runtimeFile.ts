import { constants, type Stats } from 'node:fs'
import { lstat, open, rm, type FileHandle } from 'node:fs/promises'
import { userId } from './userFolders'

/** Files of the runtime folder are small; what is larger than this was not written by us. */
const largestBytes = 64 * 1024 * 1024

/**
 * What open(2) and read(2) answer for a name that is no regular file of ours: a folder, a link, a pipe, a socket, a
 * forbidden one.
 */
const foreignCodes = new Set(['EISDIR', 'ELOOP', 'ENXIO', 'EACCES', 'EPERM', 'ENOTDIR', 'EMLINK', 'ENODEV', 'ETXTBSY'])

/** What stands under a name of the runtime folder: `missing`, `foreign` (none of ours could be so), or its text. */
export type RuntimeText = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'missing' | 'foreign' }

/**
 * Reads a small file of the runtime folder. A pipe, a link or a folder under its name is no obstacle: nothing is
 * followed, and opening waits for nobody. Throws what is no property of the name, such as EMFILE or EIO.
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
 * Opens a file of the runtime folder anew for writing, empty; what is no regular file under its name is removed first.
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
 * Removes what stands under a name of the runtime folder and is not of the kind that belongs there. The folder is its
 * owner's alone, so whatever is in it is the owner's to remove; a link is removed, not what it points to.
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
  // A file that its owner cannot read or write, or that `sudo` left, is as good as none.
  const isUsable = uid === undefined || (found.uid === uid && (found.mode & 0o600) === 0o600)
  if (isUsable && (kind === 'folder' ? found.isDirectory() : found.isFile())) return false
  await rm(path, { recursive: true, force: true })
  return true
}

/** Windows has neither. */
const noFollow = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK

function kindOf(error: unknown): 'missing' | 'foreign' {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'missing'
  if (code !== undefined && foreignCodes.has(code)) return 'foreign'
  throw error
}
