import { readlinkSync } from 'node:fs'

/**
 * The pid namespace of this process, `pid:[4026531836]`: in two different ones (two containers with one folder in
 * common) the same number means two processes. Undefined where there are none, or where /proc does not tell.
 */
export function ownPidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}
