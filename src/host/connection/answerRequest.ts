import { ErrorCodes, ResponseError } from 'vscode-languageserver/node'
import * as z from 'zod'
import { errorCodes, type RequestMethod } from '../../protocol'
import { requests } from '../../protocol/schemas'
import { LaunchError } from '../terms/launchError'
import type { Log } from '../terms/log'
import { RequestError } from '../terms/requestError'
import type { Asker, RequestHandlers } from './requestHandlers'

/**
 * Checks the parameters of a request and calls its handler.
 * @param given As the JSON-RPC library passes them: by-position parameters one by one, and the cancellation token last.
 * @returns the result, or the error to answer with; never rejects.
 */
export async function answerRequest(
  method: RequestMethod,
  given: readonly unknown[],
  asker: Asker,
  { handlers, log }: { readonly handlers: RequestHandlers; readonly log: Log },
): Promise<unknown> {
  const positional = given.slice(0, -1)
  const params: unknown = positional.length === 0 ? undefined : positional.length === 1 ? positional[0] : positional
  const schema: z.ZodType = requests[method].params
  const parsed = schema.safeParse(params)
  if (!parsed.success) return new ResponseError(ErrorCodes.InvalidParams, `${method}: ${z.prettifyError(parsed.error)}`)
  try {
    const handle = handlers[method] as (params: unknown, asker: Asker) => unknown
    return await handle(parsed.data, asker)
  } catch (error) {
    if (error instanceof LaunchError) return new ResponseError(errorCodes.launch, error.message, error.data)
    if (error instanceof RequestError) return new ResponseError(error.code, error.message)
    log.error(`${method} failed.`, error)
    return new ResponseError(
      ErrorCodes.InternalError,
      `${method} failed in the host: ${error instanceof Error ? error.message : String(error)}. The host's ` +
        'log has more.',
    )
  }
}
