import { type HostConnection } from '../../discovery'
import type { ResultOf, ParamsOf } from '../../protocol'

/** What a pool's own grace period may be, where the command line names none: the host knows it, we do not. */
const assumedGracePeriodMs = 60_000
/** Ask, SIGTERM, SIGKILL, and the last look. */
const passes = 4
/** On top of the passes: reading the process table of a machine in trouble. */
const marginMs = 30_000

/** Asks the host to end something and waits as long as its passes may take. */
export async function requestShutdown(
  host: HostConnection,
  params: Omit<ParamsOf<'unhang/shutdown'>, 'askedBy'>,
): Promise<ResultOf<'unhang/shutdown'>> {
  const timeoutMs = (params.gracePeriodMs ?? assumedGracePeriodMs) * passes + marginMs
  return await host.request('unhang/shutdown', { ...params, askedBy: 'cli' }, { timeoutMs })
}

/** Asks the host what it would do to end something; nothing is done. */
export function requestPlan(
  host: HostConnection,
  params: Omit<ParamsOf<'unhang/shutdown'>, 'askedBy'>,
): Promise<ResultOf<'unhang/planShutdown'>> {
  return host.request('unhang/planShutdown', { ...params, askedBy: 'cli' })
}
