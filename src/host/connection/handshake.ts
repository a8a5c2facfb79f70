import { protocolVersion, type InitializationOptions } from '../../protocol'
import { initializationOptionsSchema } from '../../protocol/schemas'
import { sameToken } from '../terms/sameToken'

/** The host's side of the handshake. */
export interface HandshakeTerms {
  readonly token: string
  readonly version: string
  /** The pid namespace of the host; undefined where there are none. */
  readonly pidNamespace: string | undefined
  /** Why there is no room for this client; undefined when there is. */
  readonly refusal: string | undefined
}

/** The client's options, or a sentence that says why the client is not served. */
export function checkHandshake(given: unknown, host: HandshakeTerms): InitializationOptions | string {
  const parsed = initializationOptionsSchema.safeParse(given)
  if (!parsed.success || !sameToken(parsed.data.token, host.token))
    return 'The token is missing or wrong: it is in the host.json that only the owner of this host can read.'
  const options = parsed.data
  if (options.protocolVersion !== protocolVersion) {
    return (
      `This host (version ${host.version}) speaks protocol ${protocolVersion}, the client ` +
      `${options.protocolVersion}. Stop the host, and start it again from the newer one.`
    )
  }
  if (host.refusal !== undefined) return host.refusal
  const { pidNamespace } = options
  if (pidNamespace !== undefined && host.pidNamespace !== undefined && pidNamespace !== host.pidNamespace) {
    return (
      `This host (version ${host.version}) runs in another pid namespace than its client, as in another ` +
      'container: the same number means two processes there, so neither could name one to the other. Set ' +
      'UNHANG_RUNTIME_DIR to a folder that the two do not share, and the client gets a host of its own.'
    )
  }
  return options
}
