import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Endpoint } from '../protocol'

/** Windows and terminals of one person in one workspace; a program that opens more has lost its way. */
const mostConnections = 256

/** The socket that clients connect to: a fresh path for every host, so nothing stale is ever in the way. */
export class Listener {
  private constructor(readonly path: string, private readonly server: Server) {}

  static async open(endpoint: Endpoint, onConnection: (socket: Socket) => void, onError: (error: Error) => void): Promise<Listener> {
    const path = socketPath(endpoint)
    const server = createServer({ noDelay: true }, onConnection)
    server.maxConnections = mostConnections
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        server.off('error', reject)
        server.on('error', onError)
        resolve()
      })
    })
    return new Listener(path, server)
  }

  /** Takes no more connections and removes the socket; those that are open go on. */
  close(): void {
    this.server.close()
  }
}

/** Sockets and half-written files of dead hosts; call it only while holding the lock. */
export async function removeStaleFiles({ directory }: Endpoint): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const isSocket = /^[0-9a-f]{8}\.sock$/.test(name)
    // Another starter may be at its draft right now, for some milliseconds.
    const isOldDraft = /^(?:draft\.|host\.json\.|ledger\.jsonl\.draft)/.test(name) && Date.now() - (await stat(path).then(({ mtimeMs }) => mtimeMs, () => Infinity)) > 60_000
    if (isSocket || isOldDraft) await rm(path, { force: true })
  }
}

function socketPath(endpoint: Endpoint): string {
  const unique = randomBytes(process.platform === 'win32' ? 16 : 4).toString('hex')
  return process.platform === 'win32' ? `\\\\.\\pipe\\unhang-${endpoint.key}-${unique}` : join(endpoint.directory, `${unique}.sock`)
}
