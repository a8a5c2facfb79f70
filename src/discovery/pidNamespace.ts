import { readlinkSync } from 'node:fs'

/**
 * The pid namespace of this process, `pid:[4026531836]`: in two different namespaces (two containers that share a
 * folder) the same number means two processes. Undefined without namespaces or without /proc.
 */
export function ownPidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}
