import { HostGoneError, HostHungError, HostTimeoutError, type HostEnd } from '../../discovery'
import type { StoppedHost } from '../../protocol'
import { formatDuration, plainLine } from '../../words'
import { CliError } from '../errors'
import { exitCodes } from '../exitCodes'
import { plural } from '../words/plural'
import { leftLines, unwatchedLines } from '../words/unwatched'
import { printJson, type Command, type CommandContext } from './context'

/** A workspace's pools may be many, and each has its grace period. */
const stopTimeoutMs = 300_000

/**
 * `unhang host status`: `--json` prints `{ pid, version, startedAt, clients, pools }` (startedAt in epoch ms), or
 * `null` without a host.
 */
export const hostStatus: Command<[{ json?: true }]> = async ({ access, terminal }, { json }) => {
  const status = await access.running((host) => host.request('unhang/hostStatus', {}))
  if (json) {
    printJson(
      terminal,
      status === undefined
        ? null
        : {
            pid: status.pid,
            version: status.version,
            startedAt: status.startedAt,
            clients: status.clients,
            pools: status.pools,
          },
    )
  } else if (status === undefined) {
    terminal.print(`no host runs for ${access.root}; one starts with the first pool`)
  } else {
    terminal.print(
      [
        `host of ${access.root}: pid ${status.pid}, version ${status.version}, up ` +
          formatDuration(Date.now() - status.startedAt),
        `${plural(status.pools, 'pool')}, ${plural(status.clients, 'client')} (with this one)`,
        `log: ${status.logFile}`,
        ...leftLines(status.unwatched),
      ].join('\n'),
    )
  }
  return exitCodes.ok
}

/**
 * `unhang host stop`: ends every pool that the host owns through the shutdown core, then the host. Prints the issues,
 * and which programs go on; `--json`: `{ issues: string[], runOn?: [{ name, pid }] }`. With `--force` a host that does
 * not answer is ended by SIGKILL, and the JSON has its pid as `killed`.
 */
export const hostStop: Command<[{ json?: true; force?: true }]> = async (context, { json, force }) => {
  const { access, terminal } = context
  let result: StoppedHost | undefined
  try {
    result = await access.running((host) => host.request('unhang/stopHost', {}, { timeoutMs: stopTimeoutMs }))
  } catch (error) {
    if (force !== true || !isDeaf(error)) throw error
  }
  if (result === undefined && force === true) {
    const killed = await endDeafHost(context)
    if (killed !== undefined) {
      if (json) printJson(terminal, { issues: [], killed })
      else
        terminal.print(
          `the host (pid ${killed}) did not answer and was ended by SIGKILL; what outlived it is found by the ` +
            'next one: unhang ps',
        )
      return exitCodes.ok
    }
  }
  const { issues, runOn = [] } = result ?? { issues: [] }
  if (json) printJson(terminal, { issues, ...(runOn.length === 0 ? {} : { runOn }) })
  else for (const line of [...issues.map(plainLine), ...unwatchedLines(runOn)]) terminal.print(line)
  if (result === undefined && !json) terminal.print(`no host runs for ${access.root}; nothing to stop`)
  return issues.length > 0 ? exitCodes.failure : exitCodes.ok
}

/** It was asked, and nothing came. */
function isDeaf(error: unknown): boolean {
  return error instanceof HostHungError || error instanceof HostTimeoutError || error instanceof HostGoneError
}

/**
 * Ends the process that is the host, also one that has not announced itself (stopped while it started, or while it
 * ended).
 * @returns its pid; undefined when there is none, or none any more.
 */
async function endDeafHost({ access }: CommandContext): Promise<number | undefined> {
  const host = await access.look()
  if (host === null) return undefined
  const { pid } = host
  const outcome = await access.endHung(host)
  if (outcome === 'killed') return pid
  if (outcome === 'gone') return undefined
  throw new CliError(`the host (pid ${pid}) was not ended: ${whyNot[outcome]}`)
}

const whyNot: Readonly<Record<Exclude<HostEnd, 'killed' | 'gone'>, string>> = {
  other: 'it is not the host of this workspace any more, so nothing was sent to it. Run the command again.',
  denied: 'the system does not allow it. It belongs to another user, or this is a container of its own.',
  unkillable:
    'SIGKILL was sent, and it waits inside the kernel (for a disk or a network folder); it ends when that answers.',
}
