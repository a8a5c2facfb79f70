import { get } from 'node:http'

/** What a metadata server answered. */
export interface MetadataAnswer {
  readonly status: number
  /** Its `Metadata-Flavor`; the real one says `Google`. */
  readonly flavor: string | undefined
  readonly body: string
}

/** The server did not answer as a metadata server does. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
  constructor(
    readonly url: string,
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`The metadata server did not answer ${url}: ${why}.`, options)
  }
}

/** Answers are a word or a name; whoever sends more than this is no metadata server. */
const mostBytes = 64 * 1024

/**
 * The host of the metadata server: TensorFlow's `GCE_METADATA_IP`, else the `GCE_METADATA_HOST` of Google's client
 * libraries, else the name that every machine of Google's cloud knows. May hold a port.
 */
export function metadataHost(env: NodeJS.ProcessEnv): string {
  for (const host of [env.GCE_METADATA_IP, env.GCE_METADATA_HOST]) if (host !== undefined && host !== '') return host
  return 'metadata.google.internal'
}

/**
 * Asks for one value (`instance/hostname`). Plain HTTP, past any proxy: the server is part of the machine.
 * Neither the connection nor the wait keeps the process alive.
 * @param signal ends the request, also while the name is being looked up
 * @throws MetadataError when it does not answer; any status is an answer
 */
export function readMetadata(host: string, path: string, signal: AbortSignal): Promise<MetadataAnswer> {
  const url = `http://${host}/computeMetadata/v1/${path}`
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      reject(new MetadataError(url, why, { cause }))
    }
    if (!URL.canParse(url)) {
      fail('the address makes no sense; look at GCE_METADATA_IP and GCE_METADATA_HOST')
      return
    }
    // A connection of its own each time: one that a sleeping machine has lost is not tried again.
    const request = get(url, { headers: { 'Metadata-Flavor': 'Google' }, agent: false, signal }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > mostBytes) request.destroy(new Error(`it sent more than ${mostBytes} bytes`))
      })
      response.on('end', () => {
        const flavor = response.headers['metadata-flavor']
        resolve({
          status: response.statusCode ?? 0,
          flavor: Array.isArray(flavor) ? flavor[0] : flavor,
          body: Buffer.concat(chunks).toString('utf8'),
        })
      })
      response.on('error', (error) => {
        fail(error.message, error)
      })
    })
    request.on('socket', (socket) => {
      socket.unref()
    })
    request.on('error', (error) => {
      fail(signal.aborted ? 'it took too long' : error.message, error)
    })
  })
}
