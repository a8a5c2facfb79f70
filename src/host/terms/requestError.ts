/** A request that makes sense but cannot be done; `code` is one of the protocol's `errorCodes`. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message)
  }
}
