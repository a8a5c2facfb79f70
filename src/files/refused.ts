/** A file was not read or written: what it is does not fit what it was opened for. */
export class FileRefusedError extends Error {
  override readonly name = 'FileRefusedError'

  /** @param reason Ends the sentence "PATH …", as in "is a FIFO". */
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${path} ${reason}`)
  }
}
