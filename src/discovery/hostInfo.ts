import { rename, rm, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Endpoint } from './endpoint'
import { readOwnText, removeForeign } from './ownFile'

/** What host.json says: which process the host is and how to reach it. Only its owner can read the file (0600). */
export const hostInfoSchema = z.object({
  pid: z.number().int().positive(),
  /** With the pid the identity of the host process, across reboots (see src/processes). */
  startTime: z.string(),
  /** Unix socket, or a named pipe on Windows. Every host has a path of its own, so a stale one is never in the way. */
  socketPath: z.string().min(1),
  token: z.string().min(32),
  version: z.string(),
  protocolVersion: z.number().int(),
  startedAt: z.number(),
})
export type HostInfo = z.infer<typeof hostInfoSchema>

/** The host that last announced itself; undefined when there is none, or when the file makes no sense. */
export async function readHostInfo(endpoint: Endpoint): Promise<HostInfo | undefined> {
  const read = await readOwnText(endpoint.infoFile)
  if (read.kind !== 'text') return undefined
  try {
    return hostInfoSchema.parse(JSON.parse(read.text))
  } catch {
    // Half a file of a machine that lost power, or of another version: the next host replaces it.
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
