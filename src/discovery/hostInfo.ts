import { rename, rm, writeFile } from 'node:fs/promises'
import type { Endpoint } from './endpoint'
import { readRuntimeText, removeForeign } from './runtimeFile'

/**
 * The contents of host.json: the host's process and the address of its socket. Only its owner can read the file (0600).
 */
export interface HostInfo {
  readonly pid: number
  /** With the pid the identity of the host process, across reboots (see src/processes). */
  readonly startTime: string
  /** Unix socket, or a named pipe on Windows. Every host has a path of its own, so a stale one is never in the way. */
  readonly socketPath: string
  readonly token: string
  readonly version: string
  readonly protocolVersion: number
  readonly startedAt: number
}

/** Checked by hand: zod would be half of a client's bundle, for this and two shapes of hungHost.ts. */
function isHostInfo(given: unknown): given is HostInfo {
  if (typeof given !== 'object' || given === null) return false
  const info = given as Partial<Record<keyof HostInfo, unknown>>
  return (
    isPid(info.pid) &&
    typeof info.startTime === 'string' &&
    typeof info.socketPath === 'string' &&
    info.socketPath !== '' &&
    typeof info.token === 'string' &&
    info.token.length >= 32 &&
    typeof info.version === 'string' &&
    Number.isSafeInteger(info.protocolVersion) &&
    typeof info.startedAt === 'number'
  )
}

/** Whether a value can be the number of a process. */
export function isPid(given: unknown): given is number {
  return Number.isSafeInteger(given) && (given as number) > 0
}

/** The host that last announced itself; undefined when there is none, or when the file makes no sense. */
export async function readHostInfo(endpoint: Endpoint): Promise<HostInfo | undefined> {
  const read = await readRuntimeText(endpoint.infoFile)
  if (read.kind !== 'text') return undefined
  try {
    const info: unknown = JSON.parse(read.text)
    // A file of another version; the next host replaces it.
    return isHostInfo(info) ? info : undefined
  } catch {
    // A file cut short by a power failure; the next host replaces it.
    return undefined
  }
}

/** Announces a host; readers see the old file or the new one, never half of it. */
export async function writeHostInfo(endpoint: Endpoint, info: HostInfo): Promise<void> {
  const draft = `${endpoint.infoFile}.${info.pid}`
  // Another name under which something else stands would make both steps fail.
  for (const path of [draft, endpoint.infoFile]) await removeForeign(path, 'file')
  await writeFile(draft, JSON.stringify(info), { mode: 0o600 })
  await rename(draft, endpoint.infoFile)
}

/** Removes the announcement of this very host; that of a successor is left alone. */
export async function removeHostInfo(endpoint: Endpoint, token: string): Promise<void> {
  const info = await readHostInfo(endpoint)
  if (info?.token === token) await rm(endpoint.infoFile, { force: true })
}
