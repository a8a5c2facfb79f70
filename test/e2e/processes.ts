import type { Row } from './pages'

/** `pid 4211 · stuck 4 s · …` → 4211; NaN for a row without a pid. */
export function pidOf(row: Row | undefined): number {
  return Number(/pid (\d+)/.exec(row?.description ?? '')?.[1])
}

/** Whether the operating system still knows the process: what the tree says is one thing, this is the other. */
export function isAlive(pid: number): boolean {
  if (!(pid > 1)) throw new RangeError(`not the pid of a worker: ${pid}`)
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
