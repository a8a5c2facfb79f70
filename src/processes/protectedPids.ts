/**
 * Pids that no signal of ours may ever reach: 0, 1 and negative ones (they mean groups, or all processes), this
 * process, its parent, and those that the caller adds, such as the extension host's.
 */
export class ProtectedPids {
  readonly #added = new Map<number, number>()

  constructor(pids: Iterable<number> = []) {
    for (const pid of pids) this.add(pid)
  }

  /** Protects a pid until the returned disposable is disposed; protecting it twice needs disposing it twice. */
  add(pid: number): Disposable {
    this.#added.set(pid, (this.#added.get(pid) ?? 0) + 1)
    let disposed = false
    return {
      [Symbol.dispose]: () => {
        if (disposed) return
        disposed = true
        const left = (this.#added.get(pid) ?? 1) - 1
        if (left > 0) this.#added.set(pid, left)
        else this.#added.delete(pid)
      },
    }
  }

  has(pid: number): boolean {
    // process.ppid is read anew: a parent that died has been replaced by another one.
    return !Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid || pid === process.ppid || this.#added.has(pid)
  }
}
