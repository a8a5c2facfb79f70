import { readFileSync } from 'node:fs'

/** What the kernel counts in. */
export interface KernelConstants {
  /** Fits into `startTime`, so that an identity does not survive a reboot. */
  readonly bootId: string
  /** Unit of the times in /proc/PID/stat. */
  readonly ticksPerSecond: number
  /** Unit of the resident set size in /proc/PID/stat. */
  readonly pageSizeBytes: number
}

// Types of the auxiliary vector's entries, from <elf.h>.
const AT_NULL = 0
const AT_PAGESZ = 6
const AT_CLKTCK = 17

/** Reads boot id, clock tick and page size; the auxiliary vector spares two runs of `getconf`. */
export function readKernelConstants(): KernelConstants {
  const auxiliary = parseAuxiliaryVector(
    readFileSync('/proc/self/auxv'),
    process.arch === 'arm' || process.arch === 'ia32' ? 4 : 8,
  )
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
    ticksPerSecond: auxiliary.get(AT_CLKTCK) ?? 100,
    pageSizeBytes: auxiliary.get(AT_PAGESZ) ?? 4096,
  }
}

/**
 * Pairs of (type, value), each `wordBytes` wide, until a type of 0. All of Node's Linux builds are little-endian but
 * s390x.
 */
export function parseAuxiliaryVector(bytes: Buffer, wordBytes: 4 | 8): Map<number, number> {
  const bigEndian = process.arch === 's390x'
  const word = (offset: number): number => {
    if (wordBytes === 4) return bigEndian ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset)
    return Number(bigEndian ? bytes.readBigUInt64BE(offset) : bytes.readBigUInt64LE(offset))
  }
  const entries = new Map<number, number>()
  for (let offset = 0; offset + 2 * wordBytes <= bytes.length; offset += 2 * wordBytes) {
    const type = word(offset)
    if (type === AT_NULL) break
    entries.set(type, word(offset + wordBytes))
  }
  return entries
}
