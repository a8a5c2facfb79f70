import { readdirSync, realpathSync, statSync } from 'node:fs'
import { globSync } from 'tinyglobby'
import type { ReadAnswer, ReadRequest } from './requests'

/** Ends early after more than `mostEntries` entries: a tree of links (`root` → `/`) is endless. */
export function readGlob({ patterns, cwd, mostEntries }: Extract<ReadRequest, { kind: 'glob' }>): ReadAnswer {
  let entries = 0
  const isOver = (count: number): boolean => (entries += count) > mostEntries
  // When one folder throws, fdir continues with others; an empty answer ends the walk.
  const fs = {
    readdirSync: ((path: string, options: { withFileTypes: true }) => {
      if (isOver(1)) return []
      const found = readdirSync(path, options)
      return isOver(found.length) ? [] : found
    }) as unknown as typeof readdirSync,
    realpathSync: ((path: string) => (isOver(1) ? path : realpathSync(path))) as unknown as typeof realpathSync,
    statSync,
  }
  const found = globSync(patterns, { cwd, expandDirectories: false, fs })
  if (entries > mostEntries)
    return { kind: 'fault', fault: 'too-large', reason: `leads through more than ${mostEntries} files and folders` }
  // Sorted, so that the same files get the same index each time.
  return { kind: 'glob', paths: found.sort().join('\0') }
}
