import { randomBytes } from 'node:crypto'
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ProcessIdentity } from '../processes'

const holderSchema = z.object({ pid: z.number().int(), startTime: z.string() })
const lockName = /^lock\.(\d+)$/

/** The result of one try. */
export type LockAttempt =
  | { readonly held: true; readonly generation: number }
  /** Somebody alive holds it. */
  | { readonly held: false; readonly holder: ProcessIdentity }

/**
 * Takes the one lock of a folder for this process, and takes it over from a holder that is dead.
 *
 * Lock files carry a generation, `lock.7`; the highest one holds. A dead holder's file is never removed to make room
 * (two starters that both found it dead could then each remove the other's fresh lock): the successor creates the next
 * generation instead, with link(2), which fails when somebody was faster. The file is complete before it gets its name,
 * so nobody ever reads half of one. What a holder leaves behind is one small file that the next one clears away.
 */
export async function tryLock(
  directory: string,
  self: ProcessIdentity,
  isAlive: (holder: ProcessIdentity) => Promise<boolean>,
): Promise<LockAttempt> {
  const draft = join(directory, `draft.${self.pid}.${randomBytes(4).toString('hex')}`)
  await writeFile(draft, JSON.stringify({ pid: self.pid, startTime: self.startTime }), { mode: 0o600 })
  try {
    for (;;) {
      const highest = Math.max(0, ...(await generations(directory)))
      const holder = highest > 0 ? await readHolder(join(directory, `lock.${highest}`)) : undefined
      if (holder === 'vanished') continue
      if (holder && (await isAlive(holder))) return { held: false, holder }
      const generation = highest + 1
      const file = join(directory, `lock.${generation}`)
      try {
        await link(draft, file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
        throw error
      }
      const others = (await generations(directory)).filter((other) => other !== generation)
      if (others.some((other) => other > generation)) {
        // Our look at the folder was old: somebody took over and went on meanwhile. Theirs counts.
        await rm(file, { force: true })
        continue
      }
      await Promise.all(others.map((other) => rm(join(directory, `lock.${other}`), { force: true })))
      return { held: true, generation }
    }
  } finally {
    await rm(draft, { force: true })
  }
}

async function generations(directory: string): Promise<number[]> {
  return (await readdir(directory)).flatMap((name) => {
    const generation = lockName.exec(name)?.[1]
    return generation === undefined ? [] : [Number(generation)]
  })
}

/** Undefined for a file that makes no sense: nobody holds by it. */
async function readHolder(file: string): Promise<ProcessIdentity | 'vanished' | undefined> {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(await readFile(file, 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'vanished'
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
