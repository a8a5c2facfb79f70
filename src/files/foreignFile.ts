import { closeSync, constants, lstatSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { kindOf, requireRegular } from './ownFile'
import { FileRefusedError } from './refused'

/** As the kernel has it (MAXSYMLINKS in include/linux/namei.h). */
const mostLinks = 40

/**
 * Opens a file for reading whose path comes from outside: from a program, a frame of a stack, a tasks.json. Links are
 * followed, but not into /proc, /dev and /sys: `/dev/fd/3` would be a descriptor of this process. Only regular files
 * are opened. Opening can still block on a dead network mount, so use a reader thread (`readForeign`) unless the user
 * typed the path.
 * @returns the descriptor, which the caller closes, and its size in bytes
 * @throws {@link FileRefusedError}, or the file system's own error (ENOENT, EACCES)
 */
export function openForeignFile(path: string): { readonly descriptor: number; readonly size: number } {
  const real = process.platform === 'win32' ? realpathSync(path) : followLinks(path)
  // Checked before opening, which has effects: the other end of a FIFO goes on, some devices start.
  const before = lstatSync(real)
  if (!before.isFile()) throw new FileRefusedError(path, `is no regular file but ${kindOf(before)}`)
  const descriptor = openSync(
    real,
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY,
  )
  try {
    const { size } = requireRegular(path, descriptor)
    const opened = nameOfDescriptor(descriptor)
    // A folder of the path may have become a link since.
    if (opened !== undefined && opened !== real) throw new FileRefusedError(path, 'was replaced while it was opened')
    return { descriptor, size }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** As realpath does, but by its own steps: the end of a way through /proc/self/fd does not show that way. */
function followLinks(path: string): string {
  let parts = partsOf(resolve(path))
  let at = '/'
  for (let links = 0; parts.length > 0;) {
    const [part = '', ...rest] = parts
    parts = rest
    if (part === '..') {
      at = dirname(at)
      continue
    }
    const next = at === '/' ? `/${part}` : `${at}/${part}`
    if (isOfTheKernel(next))
      throw new FileRefusedError(path, 'is in /proc, /dev or /sys, which are not read. Copy it to a file')
    const target = targetOf(next)
    if (target === undefined) {
      at = next
      continue
    }
    links += 1
    if (links > mostLinks) throw new FileRefusedError(path, 'leads through too many symbolic links')
    parts = [...partsOf(target), ...parts]
    if (target.startsWith('/')) at = '/'
  }
  return at
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

/**
 * Folders of the kernel's pseudo-files, of which some have no end and some are this process's own descriptors. /dev/shm
 * is an ordinary folder.
 */
function isOfTheKernel(path: string): boolean {
  return /^\/(?:proc|sys)(?:\/|$)/.test(path) || /^\/dev\/(?!shm(?:\/|$))/.test(path)
}

/** Where a link leads; undefined of anything else. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    // EINVAL: it exists and is no link.
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined
    throw error
  }
}

/** Undefined where the system does not tell. */
function nameOfDescriptor(descriptor: number): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // Without /proc the check by its kind, and that the last name is no link, must do.
    return undefined
  }
}
