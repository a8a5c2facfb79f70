import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { FileRefusedError } from './refused'

// libuv opens everything with O_CLOEXEC. O_NONBLOCK: the name may be that of a FIFO by now, whose open() waits for the
// other end. On Windows there are no such flags (undefined counts as 0 in a bitwise or).
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Opens a file in a folder of ours that a program of the user writes or may have replaced: links are not followed,
 * opening does not block, and the result is a regular file with one name. Synchronous, because the folder is local. The
 * caller closes the file.
 * @throws {@link FileRefusedError}, or the file system's own error (ENOENT, EACCES)
 */
export function openOwnFile(path: string, access: 'read' | 'write' = 'read'): number {
  const descriptor = openRefusing(path, (access === 'read' ? constants.O_RDONLY : constants.O_RDWR) | careful)
  try {
    const { nlink } = requireRegular(path, descriptor)
    // A second name may be that of any other file of the user.
    if (nlink > 1) throw new FileRefusedError(path, `has ${nlink} names (hard links)`)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/**
 * The text of such a file, from its beginning.
 * @throws {@link FileRefusedError} also when it has more than `mostBytes`
 */
export function readOwnFile(path: string, mostBytes: number): string {
  const descriptor = openOwnFile(path)
  try {
    return readOpened(path, descriptor, mostBytes)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * The text of an opened file, from its beginning. @throws {@link FileRefusedError} when it has more than `mostBytes`
 */
export function readOpened(path: string, descriptor: number, mostBytes: number): string {
  const { size } = fstatSync(descriptor)
  if (size > mostBytes) throw new FileRefusedError(path, `has ${size} bytes; ${mostBytes} are read at most`)
  const buffer = Buffer.alloc(size)
  let length = 0
  for (let read = -1; read !== 0 && length < size; length += read)
    read = readSync(descriptor, buffer, length, size - length, length)
  return buffer.toString('utf8', 0, length)
}

/**
 * Writes a short file into a folder of ours, readable by this user alone. A link or FIFO of that name is replaced, not
 * written to.
 * @throws the file system's own error
 */
export function writeOwnFile(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const descriptor = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | careful, 0o600)
  try {
    writeSync(descriptor, text)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function openRefusing(path: string, flags: number): number {
  try {
    return openSync(path, flags)
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ELOOP':
        throw new FileRefusedError(path, 'is a symbolic link')
      case 'ENXIO':
        throw new FileRefusedError(path, 'is a socket or a FIFO')
      case 'EISDIR':
        throw new FileRefusedError(path, 'is a folder')
      default:
        throw error
    }
  }
}

/** @throws {@link FileRefusedError} */
export function requireRegular(path: string, descriptor: number): { readonly size: number; readonly nlink: number } {
  const found = fstatSync(descriptor)
  if (!found.isFile()) throw new FileRefusedError(path, `is no regular file but ${kindOf(found)}`)
  return found
}

/** In words, for a sentence. */
export function kindOf(found: {
  isDirectory(): boolean
  isFIFO(): boolean
  isSocket(): boolean
  isCharacterDevice(): boolean
  isBlockDevice(): boolean
}): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a FIFO'
  if (found.isSocket()) return 'a socket'
  return found.isCharacterDevice() || found.isBlockDevice() ? 'a device' : 'something else'
}
