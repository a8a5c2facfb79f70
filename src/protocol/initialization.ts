import * as z from 'zod'

/** `initializationOptions` of the LSP handshake. Without the right token the host ends the connection. */
export const initializationOptionsSchema = z.object({
  token: z.string().max(256),
  protocolVersion: z.number().int(),
  client: z.enum(['vscode', 'cli', 'test']),
  /** The pid namespace of the client, which gives `processId` and every pid it sends their meaning; Linux alone. */
  pidNamespace: z.string().max(64).optional(),
})
