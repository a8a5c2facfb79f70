import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the server answers a request for the maintenance event. */
export type Behaviour = 'NONE' | 'TERMINATE_ON_HOST_MAINTENANCE' | 'hang' | 'garbage' | 'endless' | 'error'

/**
 * The metadata server of Google's cloud, as far as preemption goes: values under /computeMetadata/v1/, for those alone
 * who send `Metadata-Flavor: Google`; its own answers carry the same header.
 */
export class MetadataServer {
  #port: number

  behaviour: Behaviour = 'NONE'
  /** Requests for the maintenance event. */
  polls = 0
  /** Requests without the header. */
  refused = 0
  #server: Server | undefined
  private constructor(port = 0) {
    this.#port = port
  }

  static async start(): Promise<MetadataServer> {
    const metadata = new MetadataServer()
    await metadata.listen()
    return metadata
  }

  /** `127.0.0.1:PORT`, for GCE_METADATA_IP. */
  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** At the same port as before. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      if (request.headers['metadata-flavor'] !== 'Google') {
        this.refused += 1
        response.writeHead(403).end('Missing required header "Metadata-Flavor": "Google"')
        return
      }
      const answer = (status: number, body: string): void => {
        response.writeHead(status, { 'Metadata-Flavor': 'Google', 'content-type': 'application/text' }).end(body)
      }
      switch (request.url) {
        case '/computeMetadata/v1/instance/hostname':
          if (this.behaviour !== 'hang') answer(200, 'machine-1.c.project.internal')
          return
        case '/computeMetadata/v1/instance/maintenance-event':
          this.polls += 1
          break
        default:
          answer(404, 'Not Found')
          return
      }
      switch (this.behaviour) {
        case 'NONE':
        case 'TERMINATE_ON_HOST_MAINTENANCE':
          answer(200, this.behaviour)
          return
        case 'hang':
          return
        case 'garbage':
          request.socket.end('\x00\x01 this is not HTTP\r\n\r\n')
          return
        case 'endless':
          response.writeHead(200)
          response.write('TERMINATE_ON_HOST_MAINTENANCE'.repeat(10_000))
          return
        case 'error':
          answer(503, 'TERMINATE_ON_HOST_MAINTENANCE')
          return
      }
    })
    await new Promise<void>((done) => {
      server.listen(this.#port, '127.0.0.1', done)
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Gone: connections are refused. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.closeAllConnections()
    await new Promise<void>((done) => {
      if (server)
        server.close(() => {
          done()
        })
      else done()
    })
  }
}
