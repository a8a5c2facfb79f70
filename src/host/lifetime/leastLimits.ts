import { readFileSync } from 'node:fs'

/**
 * Node reserves gigabytes of address space for each of its threads, and aborts without them, which cannot be caught.
 * Measured with Node 20: a host with one file reader needs 2.6 GiB; a reader that hangs needs a second one.
 */
const leastGib = 3
const gib = 2 ** 30
/** Measured with Node 20: with 32 a host has none left for its first client, with 48 it runs a pool with one worker. */
const leastFiles = 48

/**
 * Throws if the limits would let a host start, but abort it at its first file, or keep it from serving even one client.
 * @param limits Text of /proc/self/limits.
 * @throws Error that says which limit it is.
 */
export function assertLimits(limits = readFileSync('/proc/self/limits', 'utf8')): void {
  const soft = (name: string): number => Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(limits)?.[1] ?? Infinity)
  const addresses = soft('Max address space')
  if (addresses < leastGib * gib) {
    throw new Error(
      `The address space is limited to ${(addresses / gib).toFixed(1)} GiB here (ulimit -v), and a host needs ` +
        `${leastGib}: raise it, or set it for the program alone (sh -c 'ulimit -v …; exec program')`,
    )
  }
  const files = soft('Max open files')
  if (files < leastFiles)
    throw new Error(
      `Only ${files} files may be open here (ulimit -n), and a host needs ${leastFiles}, some more for each ` +
        'worker: raise the limit',
    )
}
