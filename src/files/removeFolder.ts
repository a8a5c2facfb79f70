import { constants } from 'node:fs'
import { lstat, open, opendir, rmdir, unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { FileRefusedError } from './refused'

/** A folder of ours has a handful of files, gone in a millisecond. */
const waitMs = 1000
/**
 * Removals at a time: other users of Node's four I/O threads wait behind these few, which is less than a millisecond.
 */
const unlinksAtATime = 16
/** What is made while it is removed may need another round; who goes on making more keeps it. */
const mostRounds = 5
/** Folders of ours have none inside. */
const deepest = 16

/**
 * Removes a folder of ours with all files that a program has put into it. `fs.rm` would read all names at once, which
 * may be a million, and would follow a link that replaces a folder at the wrong moment. A missing folder is no error.
 * Settles after a second at the latest, because the end of a program and the start and end of a host wait for it;
 * removal goes on in the background, and the next host removes the rest.
 * @throws {@link FileRefusedError} when it is nested too deep, or the file system's own error when something cannot be
 * removed
 */
export async function removeFolder(path: string): Promise<void> {
  const removed = remove(path)
  // The next host finds the rest again.
  removed.catch(() => undefined)
  const inTime = new AbortController()
  await Promise.race([removed, sleep(waitMs, undefined, { signal: inTime.signal, ref: false })]).finally(() => {
    inTime.abort()
  })
}

async function remove(path: string): Promise<void> {
  await unlessGone(async () => {
    if ((await lstat(path)).isDirectory()) await removeNested(path, path, 0)
    else await unlink(path)
  })
}

async function removeNested(path: string, shown: string, depth: number): Promise<void> {
  if (depth > deepest) throw new FileRefusedError(shown, `is nested more than ${deepest} levels deep`)
  for (let round = 1; ; round += 1) {
    try {
      await removeContent(path, shown, depth)
      await rmdir(path)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || round >= mostRounds) throw error
    }
  }
}

async function removeContent(path: string, shown: string, depth: number): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    // Read through the descriptor, so that it stays the folder that was opened, even when its name has been taken by
    // another.
    const folder = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path
    let unlinks: Promise<void>[] = []
    for await (const entry of await opendir(folder, { bufferSize: 256 })) {
      if (entry.isDirectory()) {
        await unlessGone(() => removeNested(`${folder}/${entry.name}`, `${shown}/${entry.name}`, depth + 1))
        continue
      }
      unlinks.push(unlessGone(() => unlink(`${folder}/${entry.name}`)))
      if (unlinks.length < unlinksAtATime) continue
      await Promise.all(unlinks)
      unlinks = []
    }
    await Promise.all(unlinks)
  } finally {
    await handle.close()
  }
}

async function unlessGone(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
