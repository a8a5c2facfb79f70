import type { Socket } from 'node:net'
import { AbstractMessageWriter, Message, type MessageWriter } from 'vscode-languageserver/node'

/** A client that leaves this much unread is not served any further requests until it reads. */
export const pauseBacklogBytes = 4 * 1024 * 1024
/** Beyond it the client is dropped: only what the host sends by itself gets there, over hours of not reading. */
const dropBacklogBytes = 32 * 1024 * 1024

/** Writes LSP frames, and knows how much of them the client has not read. */
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
