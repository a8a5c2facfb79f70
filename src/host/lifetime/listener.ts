import { randomBytes } from 'node:crypto'
import { lstat, readdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { removeForeign, type Endpoint } from '../../discovery'
import { mostConnections } from '../connection/admission'

/** Connections beyond those that are served; they get the reason for their refusal. */
const mostTurnedAway = 64

/** The socket that clients connect to: a fresh path for every host, so nothing stale is ever in the way. */
export class Listener {
  readonly #server: Server

  private constructor(
    readonly path: string,
    server: Server,
  ) {
    this.#server = server
  }

  static async open(
    endpoint: Endpoint,
    onConnection: (socket: Socket) => void,
    onError: (error: Error) => void,
  ): Promise<Listener> {
    const path = socketPath(endpoint)
    const server = createServer({ noDelay: true }, onConnection)
    server.maxConnections = mostConnections + mostTurnedAway
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
    this.#server.close()
  }
}

/**
 * Removes sockets and half-written files of dead hosts, and anything under the name of a host's file that is no regular
 * file (a folder, a pipe, a link: opening it would fail, or block). Call it only while holding the lock, and before any
 * file here is opened.
 * @returns the removed paths that were no regular files.
 */
export async function removeStaleFiles(endpoint: Endpoint): Promise<string[]> {
  const { directory } = endpoint
  const files = [
    endpoint.infoFile,
    endpoint.ledgerFile,
    `${endpoint.ledgerFile}.draft`,
    endpoint.programsFile,
    `${endpoint.programsFile}.draft`,
    endpoint.killsFile,
    endpoint.logFile,
    endpoint.stderrFile,
  ]
  const foreign: string[] = []
  for (const path of files) if (await removeForeign(path, 'file')) foreign.push(path)
  if (await removeForeign(endpoint.outputDirectory, 'folder')) foreign.push(endpoint.outputDirectory)
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const isSocket = /^[0-9a-f]{8}\.sock$/.test(name)
    // Another starting host may be writing its draft right now, for some milliseconds.
    const isOldDraft =
      /^(?:draft\.|host\.json\.|ledger\.jsonl\.draft)/.test(name) &&
      Date.now() -
        (await lstat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => Infinity,
        )) >
        60_000
    if (isSocket || isOldDraft) await rm(path, { recursive: true, force: true })
  }
  return foreign
}

function socketPath(endpoint: Endpoint): string {
  const unique = randomBytes(process.platform === 'win32' ? 16 : 4).toString('hex')
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\unhang-${endpoint.key}-${unique}`
    : join(endpoint.directory, `${unique}.sock`)
}
