import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

/** Generous for the windows and terminals of one user in one workspace; more connections are a client's mistake. */
export const mostConnections = 256

/**
 * Descriptors that stay free for a refused connection and for reading /proc meanwhile: without a free descriptor the
 * connection closes before the refusal can be sent.
 */
const spareDescriptors = 4

/** Why a new connection cannot be served now, as a message for its client; undefined when it can. */
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
