import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './startedProcesses'

/** A control group of our own that holds at most some megabytes. */
export interface LimitedGroup {
  readonly path: string
  /** Once nobody is in it any more. */
  readonly remove: () => Promise<void>
}

/**
 * Makes one where that is possible: as root, with version 1 of the memory controller, or version 2 where it is handed
 * down.
 */
export function limitedGroup(megabytes: number): LimitedGroup | undefined {
  for (const { root, limit } of [
    { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
    { root: '/sys/fs/cgroup', limit: 'memory.max' },
  ]) {
    const path = join(root, `unhang-test-${process.pid}-${Date.now()}`)
    if (!isOurs(root)) continue
    mkdirSync(path)
    try {
      writeFileSync(join(path, limit), String(megabytes * 1e6))
      return { path, remove: () => remove(path) }
    } catch {
      // Not handed down to us.
      rmdirSync(path)
    }
  }
  return undefined
}

function isOurs(root: string): boolean {
  try {
    accessSync(root, constants.W_OK)
    // tmpfs above the hierarchies of version 1 is no control group.
    return readFileSync(join(root, 'cgroup.procs')).length >= 0
  } catch {
    return false
  }
}

async function remove(path: string): Promise<void> {
  await until(() => {
    try {
      rmdirSync(path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false
      throw error
    }
  }, 'the end of the control group')
}
