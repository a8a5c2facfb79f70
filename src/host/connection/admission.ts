import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

/** Windows and terminals of one person in one workspace; a program that opens more has lost its way. */
export const mostConnections = 256

/**
 * Descriptors that are left alone for the answer to whoever comes next, and for looking at processes meanwhile: without
 * one, the kernel's connection is closed before anything can be said.
 */
const spareDescriptors = 4

/** Why a new connection cannot be served now, for whoever opened it; undefined when it can. */
export function refusalOf(connections: number): string | undefined {
  if (connections >= mostConnections) {
    return `This host has ${connections} connections, as many as it takes. Close some, and run the command again.`
  }
  if (!hasSpareDescriptors()) {
    return (
      'This host has as many files and connections open as its limit allows (ulimit -n), so it takes no more ' +
      'clients. What it does for others goes on. Close some, or end pools from one that is connected; or raise the ' +
      'limit before the host starts.'
    )
  }
  return undefined
}

function hasSpareDescriptors(): boolean {
  const opened: number[] = []
  try {
    while (opened.length < spareDescriptors) opened.push(openSync(devNull, 'r'))
    return true
  } catch {
    return false
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}
