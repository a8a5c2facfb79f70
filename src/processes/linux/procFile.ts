import { closeSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs'

// Grows to the largest file read; one buffer is enough because reads are synchronous and parsed before the next one.
let buffer = Buffer.allocUnsafe(4096)

/**
 * Reads a small file under /proc that the kernel produces without waiting for the process (stat, status, auxv; NOT
 * cmdline, environ or maps, which can block indefinitely on a process in state D). Synchronous because it is four times
 * cheaper than the thread pool (9 µs against 80 µs), and because nothing may come between an identity check and a kill.
 * Returns undefined when there is no such process, or reading it is not permitted. The bytes are only valid until the
 * next call.
 */
export function readProcFile(path: string): Buffer | undefined {
  return readOpened(path, (file) => {
    let length = readSync(file, buffer, 0, buffer.length, 0)
    while (length === buffer.length) {
      buffer = Buffer.allocUnsafe(buffer.length * 2)
      length = readSync(file, buffer, 0, buffer.length, 0)
    }
    return length === 0 ? undefined : buffer.subarray(0, length)
  })
}

/**
 * Reads such a file to its end, however long it is: the kernel hands out the lines of some (mountinfo, vmstat) a page
 * at a time. Also for the files of a cgroup, which can go away between open and read.
 */
export function readProcText(path: string): string | undefined {
  return readOpened(path, (file) => {
    const parts: Buffer[] = []
    for (;;) {
      const length = readSync(file, buffer, 0, buffer.length, null)
      if (length === 0) return Buffer.concat(parts).toString()
      parts.push(Buffer.from(buffer.subarray(0, length)))
    }
  })
}

function readOpened<Content>(path: string, read: (file: number) => Content): Content | undefined {
  const file = openProcFile(path)
  if (file === undefined) return undefined
  try {
    return read(file)
  } catch (error) {
    // The process can end between open and read: ESRCH.
    if (isGoneOrForbidden(error)) return undefined
    throw error
  } finally {
    closeSync(file)
    if (spare === undefined) reserveDescriptor()
  }
}

/**
 * Target of a link under /proc (`pipe:[12345]`, a working directory). The target itself is not opened, so a dead mount
 * cannot block.
 */
export function readProcLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (isGoneOrForbidden(error)) return undefined
    throw error
  }
}

/**
 * One descriptor kept in reserve: a pool must still be ended when this process has used up all others. Nothing else
 * runs between its release here and its return in {@link reserveDescriptor}.
 */
let spare: number | undefined

function openProcFile(path: string): number | undefined {
  if (spare === undefined) reserveDescriptor()
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (isGoneOrForbidden(error)) return undefined
    if (!isOutOfDescriptors(error) || spare === undefined) throw error
    closeSync(spare)
    spare = undefined
    try {
      return openSync(path, 'r')
    } catch (second) {
      if (isGoneOrForbidden(second)) return undefined
      throw second
    }
  }
}

/** Takes the spare descriptor (again), if one is free. */
export function reserveDescriptor(): void {
  try {
    spare ??= openSync('/dev/null', 'r')
  } catch (error) {
    // None is free now; the next read tries again.
    if (!isOutOfDescriptors(error)) throw error
  }
}

/**
 * The names in /proc, or in a folder below it (none when the folder is gone or may not be read). Synchronous, because a
 * dead network mount can hold Node's I/O threads indefinitely.
 */
export function listProc(folder = '/proc'): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isGoneOrForbidden(error)) return []
    if (!isOutOfDescriptors(error) || spare === undefined) throw error
    closeSync(spare)
    spare = undefined
    try {
      return readdirSync(folder)
    } finally {
      reserveDescriptor()
    }
  }
}

/** True when this process, or the system, has no file descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'EMFILE' || code === 'ENFILE'
}

/** True for errors that mean: the process or cgroup does not exist (any more), or this user may not read it. */
export function isGoneOrForbidden(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'ENODEV'
}
