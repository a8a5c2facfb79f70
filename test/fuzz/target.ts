import { workerData } from 'node:worker_threads'

/**
 * A parser of what others write, as the fuzzer sees it. One file in targets/ for each, which exports one as `target`.
 */
export interface FuzzTarget {
  /**
   * Reads one input. Returns for everything that the parser takes or refuses as documented, and throws for anything
   * else: an error of another class, or a result that breaks a promise.
   */
  run(input: Buffer): void
  /** Valid inputs to start from. */
  readonly seeds: readonly Buffer[]
  /** Words, magic numbers and separators of the format. */
  readonly dictionary: readonly Buffer[]
  /** Bytes that may be asked for at once, by the documented limits of the parser. */
  readonly largestAllocation: number
}

/** A folder in memory where there is one: a disk would be most of the work. It is removed when the run is over. */
export function scratchFolder(): string {
  return (workerData as { scratch: string }).scratch
}

/** Cuts an input into pieces, as a socket does; the same way for the same input. */
export function pieces(input: Buffer): Buffer[] {
  const found: Buffer[] = []
  let state = input.length + 1
  for (let at = 0; at < input.length;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const size = 1 + ((state >>> 24) % [2, 9, 200, 4000][(state >>> 8) & 3]!)
    found.push(Buffer.from(input.subarray(at, at + size)))
    at += size
  }
  return found
}

/** @throws Error that names what differs, shortened. */
export function mustEqual(what: string, one: unknown, other: unknown): void {
  const [a, b] = [JSON.stringify([one]), JSON.stringify([other])]
  if (a !== b) throw new Error(`${what}: ${a.slice(0, 300)} and ${b.slice(0, 300)}`)
}
