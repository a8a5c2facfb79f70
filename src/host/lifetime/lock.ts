import { randomBytes } from 'node:crypto'
import { link, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { ProcessIdentity } from '../../processes'
import { readRuntimeText } from '../../discovery'

const holderSchema = z.object({ pid: z.number().int(), startTime: z.string(), pidNamespace: z.string().optional() })

/**
 * The process that holds a lock, and the pid namespace in which its pid is a number: a folder may be shared by two
 * containers.
 */
export interface LockHolder extends ProcessIdentity {
  readonly pidNamespace?: string | undefined
}
const lockName = /^lock\.([1-9]\d*)$/

/**
 * A generation counts the starts of one workspace's host: a larger number was not reached by counting, and is no lock.
 */
const endOfGenerations = 1_000_000_000

/** The result of one try. */
export type LockAttempt =
  | { readonly held: true; readonly generation: number }
  /** A live process holds it. */
  | { readonly held: false; readonly holder: LockHolder }

/**
 * Takes the one lock of a folder for this process, and takes it over from a holder that is dead.
 *
 * Lock files carry a generation, `lock.7`; the highest one holds. A dead holder's file is never removed to make room
 * (two starters that both found it dead could then each remove the other's fresh lock): the successor creates the next
 * generation instead, with link(2), which fails when another process was faster. The file is complete before it gets
 * its name, so it is never read half-written. A holder leaves one small file behind, which the next holder removes
 * together with all other files that are named like a lock.
 */
export async function tryLock(
  directory: string,
  self: LockHolder,
  isAlive: (holder: LockHolder) => Promise<boolean>,
): Promise<LockAttempt> {
  const draft = join(directory, `draft.${self.pid}.${randomBytes(4).toString('hex')}`)
  await writeFile(
    draft,
    JSON.stringify({ pid: self.pid, startTime: self.startTime, pidNamespace: self.pidNamespace }),
    { mode: 0o600 },
  )
  try {
    for (;;) {
      const highest = Math.max(0, ...(await lockNames(directory)).flatMap(({ generation }) => generation ?? []))
      const holder = highest > 0 ? await readHolder(join(directory, `lock.${highest}`)) : undefined
      if (holder === 'vanished') continue
      if (holder && (await isAlive(holder))) return { held: false, holder }
      const generation = highest + 1
      if (generation >= endOfGenerations) {
        // No host reaches this generation, so no process ever holds a lock of this name: renaming it takes no lock
        // away.
        await rename(join(directory, `lock.${highest}`), `${draft}.aside`).catch(ignoreMissing)
        await rm(`${draft}.aside`, { recursive: true, force: true })
        continue
      }
      const file = join(directory, `lock.${generation}`)
      try {
        await link(draft, file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
        throw error
      }
      const others = (await lockNames(directory)).filter((other) => other.generation !== generation)
      if (others.some((other) => (other.generation ?? 0) > generation)) {
        // The listing of the folder is outdated: another process took over meanwhile, and holds the lock.
        await rm(file, { force: true })
        continue
      }
      await Promise.all(others.map(({ name }) => rm(join(directory, name), { recursive: true, force: true })))
      return { held: true, generation }
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** The process that the highest lock names, alive or not; undefined when there is no lock. */
export async function lockHolder(directory: string): Promise<LockHolder | undefined> {
  const highest = Math.max(0, ...(await lockNames(directory)).flatMap(({ generation }) => generation ?? []))
  const holder = highest > 0 ? await readHolder(join(directory, `lock.${highest}`)) : undefined
  return holder === 'vanished' ? undefined : holder
}

interface LockName {
  readonly name: string
  /** Undefined: named like a lock, but with no generation that counting can reach. */
  readonly generation: number | undefined
}

async function lockNames(directory: string): Promise<LockName[]> {
  return (await readdir(directory)).flatMap((name) => {
    if (!name.startsWith('lock.')) return []
    const generation = Number(lockName.exec(name)?.[1])
    return [{ name, generation: generation < endOfGenerations ? generation : undefined }]
  })
}

/** Undefined for a file with other contents, or for no file: neither is a lock. */
async function readHolder(file: string): Promise<LockHolder | 'vanished' | undefined> {
  const read = await readRuntimeText(file)
  if (read.kind !== 'text') return read.kind === 'missing' ? 'vanished' : undefined
  try {
    const parsed = holderSchema.safeParse(JSON.parse(read.text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
