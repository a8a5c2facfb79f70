import type { Socket } from 'node:net'
import { AbstractMessageReader, type DataCallback, type Disposable, type Message } from 'vscode-languageserver/node'

/** Headers of a real client are under 100 bytes. */
const longestHeaderBytes = 4096
/** A definition with all its items inline is the largest thing a client sends. */
export const largestMessageBytes = 8 * 1024 * 1024
/** Before the handshake only `initialize` comes, with the editor's capabilities: some 20 kB. */
export const largestFirstMessageBytes = 1024 * 1024
const headerEnd = Buffer.from('\r\n\r\n')

/** Why a connection is ended: the client sent something that is no message, or a message that is too large. */
export class RefusedMessageError extends Error {
  override readonly name = 'RefusedMessageError'
}

/**
 * Reads LSP frames with a bound on header, body and number of waiting messages. It passes on one message a turn of the
 * event loop and does not read the socket meanwhile, so that a flooding client fills its own buffers. The library's
 * reader has no such bounds: it allocates the length that a header announces.
 */
export class BoundedReader extends AbstractMessageReader {
  readonly #socket: Socket
  readonly #mayRead: () => boolean
  readonly #limit: () => number
  readonly #fail: (error: RefusedMessageError) => void

  #chunks: Buffer[] = []
  #buffered = 0
  #bodyBytes: number | undefined
  #callback: DataCallback | undefined
  #scheduled = false
  #ended = false
  /** False: the message is not handed on. */
  admit: (message: Message) => boolean = () => true

  /**
   * @param mayRead False while the client has to wait (its answers are piling up); then {@link resume} goes on.
   * @param limit Bound of the next message's body.
   */
  constructor(socket: Socket, mayRead: () => boolean, limit: () => number, fail: (error: RefusedMessageError) => void) {
    super()
    this.#socket = socket
    this.#mayRead = mayRead
    this.#limit = limit
    this.#fail = fail
  }

  override listen(callback: DataCallback): Disposable {
    this.#callback = callback
    this.#socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#buffered += chunk.length
      this.#next()
    })
    this.#socket.on('error', (error) => {
      this.fireError(error)
    })
    this.#socket.on('close', () => {
      this.#stop()
      this.fireClose()
    })
    return {
      dispose: () => {
        this.#stop()
      },
    }
  }

  /** Continues after {@link mayRead} was false. */
  resume(): void {
    this.#next()
  }

  #stop(): void {
    this.#ended = true
    this.#chunks = []
    this.#buffered = 0
  }

  /** Hands on at most one message, and the next one a turn later. */
  #next(): void {
    if (this.#ended || this.#scheduled || !this.#callback) return
    if (!this.#mayRead()) {
      this.#socket.pause()
      return
    }
    let message: Message | undefined
    try {
      message = this.#takeMessage()
    } catch (error) {
      this.#stop()
      this.#fail(error instanceof RefusedMessageError ? error : new RefusedMessageError(String(error)))
      return
    }
    if (message === undefined) {
      this.#socket.resume()
      return
    }
    if (this.admit(message)) this.#callback(message)
    // A frame may be left in the buffer: until that is known, no more is taken from the socket.
    this.#socket.pause()
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #takeMessage(): Message | undefined {
    this.#bodyBytes ??= this.#takeHeader()
    if (this.#bodyBytes === undefined || this.#buffered < this.#bodyBytes) return undefined
    const body = this.#take(this.#bodyBytes)
    this.#bodyBytes = undefined
    let message: unknown
    try {
      message = JSON.parse(body.toString('utf8'))
    } catch {
      throw new RefusedMessageError('a message that is no JSON')
    }
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      throw new RefusedMessageError('a message that is no object')
    return message as Message
  }

  /** The body's length, once the header is complete. */
  #takeHeader(): number | undefined {
    const seen = this.#peek(longestHeaderBytes)
    const end = seen.indexOf(headerEnd)
    if (end < 0) {
      if (seen.length >= longestHeaderBytes)
        throw new RefusedMessageError(`a header without an end within ${longestHeaderBytes} bytes`)
      return undefined
    }
    const header = this.#take(end + headerEnd.length).toString('latin1')
    const length = /^content-length:[ \t]*(\d{1,15})[ \t]*$/im.exec(header.replaceAll('\r', ''))?.[1]
    if (length === undefined) throw new RefusedMessageError('a header without a Content-Length')
    const bytes = Number(length)
    if (bytes > this.#limit())
      throw new RefusedMessageError(`a message of ${bytes} bytes (the limit is ${this.#limit()})`)
    return bytes
  }

  #peek(most: number): Buffer {
    const [first] = this.#chunks
    if (first === undefined) return Buffer.alloc(0)
    if (this.#chunks.length === 1 || first.length >= most) return first.subarray(0, most)
    return Buffer.concat(this.#chunks, Math.min(this.#buffered, most))
  }

  #take(bytes: number): Buffer {
    const all =
      this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#buffered)
    this.#chunks = all.length > bytes ? [all.subarray(bytes)] : []
    this.#buffered = all.length - bytes
    return all.subarray(0, bytes)
  }
}
