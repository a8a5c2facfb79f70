import { readFileSync } from 'node:fs'

/**
 * Node reserves addresses by the gigabyte for each of its threads, and where it gets none it aborts, which nobody can catch. Measured
 * with Node 20: a host with a reader works from 2.6 GiB on; one reader that hangs costs another.
 */
const leastGib = 3
const gib = 2 ** 30

/**
 * Throws where a host would end without a word at its first file.
 * @param limits Text of /proc/self/limits.
 * @throws Error that says which limit it is.
 */
export function assertAddressSpace(limits = readFileSync('/proc/self/limits', 'utf8')): void {
  const soft = /^Max address space\s+(\d+)/m.exec(limits)?.[1]
  if (soft === undefined || Number(soft) >= leastGib * gib) return
  throw new Error(`The address space is limited to ${(Number(soft) / gib).toFixed(1)} GiB here (ulimit -v), and a host needs ${leastGib}: raise it, or set it for the program alone (sh -c 'ulimit -v …; exec program')`)
}
