import { type HostConnection } from '../../discovery'
import { isStuck, type PoolSnapshot } from '../../protocol'
import { exitCodes } from '../exitCodes'
import { fetchPools, fetchRunning } from '../snapshots'
import { whyJson } from '../why/json'
import { poolsAsked } from '../why/scope'
import { whyText } from '../why/text'
import { printJson, type Command } from './context'

/** A look asks every watched program for its state, and one that is hung in C code is waited for. */
export const lookTimeoutMs = 20_000

/** `unhang why [POOL|PID]`: the verdicts as they are now. Exit code 1 when something is stuck. */
export const why: Command<[string | undefined, { json?: true }]> = async ({ access, terminal }, text, { json }) => {
  const { pools, unwatched } = (await access.runningOrSurvived((host) => fetchRunning(host, freshPools))) ?? {
    pools: [],
    unwatched: [],
  }
  const asked = poolsAsked(text, pools, unwatched)
  const left = text === undefined ? unwatched : []
  if (json) printJson(terminal, whyJson(asked, left))
  else terminal.print(whyText(asked, pools, terminal.stdoutPalette, left))
  return asked.some((pool) => pool.state !== 'ended' && isStuck(pool)) ? exitCodes.failure : exitCodes.ok
}

/** The pools after the host has looked at them. */
export async function freshPools(host: HostConnection): Promise<PoolSnapshot[]> {
  await host.request('unhang/look', {}, { timeoutMs: lookTimeoutMs })
  return await fetchPools(host)
}
