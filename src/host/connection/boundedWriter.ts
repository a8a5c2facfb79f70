import type { Socket } from 'node:net'
import { AbstractMessageWriter, Message, type MessageWriter } from 'vscode-languageserver/node'

/** A client with this much unread output gets no further requests served until it reads. */
export const pauseBacklogBytes = 4 * 1024 * 1024
/**
 * A client with more unread output is dropped. Notifications alone reach this, if the client does not read for hours.
 */
const dropBacklogBytes = 32 * 1024 * 1024

/** Writes LSP frames, and knows the size of those that the client has not read. */
export class BoundedWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #socket: Socket
  readonly #answered: () => void

  /** @param answered Called for every response that was handed to the socket. */
  constructor(socket: Socket, answered: () => void) {
    super()
    this.#socket = socket
    this.#answered = answered

    socket.on('close', () => {
      this.fireClose()
    })
  }

  /** Bytes that wait in this process for the client to read. */
  get backlog(): number {
    return this.#socket.writableLength
  }

  write(message: Message): Promise<void> {
    if (this.#socket.writable) {
      const body = Buffer.from(JSON.stringify(message), 'utf8')
      this.#socket.cork()
      this.#socket.write(`Content-Length: ${body.length}\r\n\r\n`, 'latin1')
      this.#socket.write(body)
      this.#socket.uncork()
      if (this.backlog > dropBacklogBytes) this.#socket.destroy()
    }
    if (Message.isResponse(message)) this.#answered()
    // Not once it is sent: a caller that waited would keep the message alive for as long as the client does not read.
    return Promise.resolve()
  }

  end(): void {
    this.#socket.end()
  }
}
