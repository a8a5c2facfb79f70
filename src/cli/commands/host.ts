import { HostStatus, StopHost } from '../../protocol'
import { exitCodes } from '../exitCodes'
import { formatDuration, plural } from '../words/quantities'
import { plainLine } from '../output/plainText'
import { leftLines, unwatchedLines } from '../words/unwatched'
import { printJson, type Command } from './context'

/** A workspace's pools may be many, and each has its grace period. */
const stopTimeoutMs = 300_000

/** `unhang host status`: `--json` prints `{ pid, version, startedAt, clients, pools }` (startedAt in epoch ms), or `null` without a host. */
export const hostStatus: Command<[{ json?: true }]> = async ({ access, terminal }, { json }) => {
  const status = await access.running((host) => host.request(HostStatus.method, {}))
  if (json) {
    printJson(terminal, status === undefined ? null : { pid: status.pid, version: status.version, startedAt: status.startedAt, clients: status.clients, pools: status.pools })
  } else if (status === undefined) {
    terminal.print(`no host runs for ${access.root}; one starts with the first pool`)
  } else {
    terminal.print([
      `host of ${access.root}: pid ${status.pid}, version ${status.version}, up ${formatDuration(Date.now() - status.startedAt)}`,
      `${plural(status.pools, 'pool')}, ${plural(status.clients, 'client')} (with this one)`,
      `log: ${status.logFile}`,
      ...leftLines(status.unwatched),
    ].join('\n'))
  }
  return exitCodes.ok
}

/**
 * `unhang host stop`: ends every pool that the host owns through the shutdown core, then the host. Prints the issues, and which programs
 * go on; `--json`: `{ issues: string[], runOn?: [{ name, pid }] }`.
 */
export const hostStop: Command<[{ json?: true }]> = async ({ access, terminal }, { json }) => {
  const result = await access.running((host) => host.request(StopHost.method, {}, { timeoutMs: stopTimeoutMs }))
  const { issues, runOn = [] } = result ?? { issues: [] }
  if (json) printJson(terminal, { issues, ...(runOn.length === 0 ? {} : { runOn }) })
  else for (const line of [...issues.map(plainLine), ...unwatchedLines(runOn)]) terminal.print(line)
  if (result === undefined && !json) terminal.print(`no host runs for ${access.root}; nothing to stop`)
  return issues.length > 0 ? exitCodes.failure : exitCodes.ok
}
