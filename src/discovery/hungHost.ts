import { execFile } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { isPid, type HostInfo } from './hostInfo'

/** How to run the host's script as a short-lived process that inspects the host's process, or ends it. */
export interface HostScript {
  /** Real path of the workspace root. */
  readonly root: string
  /** Path of dist/host.js. */
  readonly hostScript: string
  /** Node (or Electron) executable. */
  readonly nodePath: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * The output of `host.js --look`: the process that the runtime folder names as the host, verified by its start time and
 * command line. null: there is no such process.
 */
export type HostCondition = {
  readonly pid: number
  readonly startTime: string
  readonly state: (typeof processStates)[number]
} | null

const processStates = ['running', 'sleeping', 'uninterruptible', 'stopped', 'zombie', 'idle', 'unknown'] as const

/**
 * The output of `host.js --end`: `killed`, the host was ended; `gone`, it had ended before; `other`, the process is no
 * host of this workspace and got no signal; `denied` by the kernel; `unkillable`, it is in uninterruptible sleep and
 * ends when that ends.
 */
export type HostEnd = (typeof hostEnds)[number]

const hostEnds = ['killed', 'gone', 'other', 'denied', 'unkillable'] as const

/** The host accepted a connection and does not answer: it is stopped, or its event loop is blocked. */
export class HostHungError extends Error {
  override readonly name = 'HostHungError'
  constructor(
    readonly root: string,
    readonly info: Pick<HostInfo, 'pid' | 'startTime'>,
    readonly condition: HostCondition | undefined,
    readonly waitedMs: number,
  ) {
    super(hungMessage(root, info.pid, condition, waitedMs))
  }
}

/**
 * A host that has not answered the first message by then counts as hung: an answer takes some milliseconds, on a loaded
 * machine some hundred.
 */
export const hungAfterMs = 2000

/** Beyond this, users suspect the machine, not the host. */
const mostPatience = 4

/**
 * Factor (at least 1) on the time that a host has to answer: on a machine with ten runnable processes a core a healthy
 * host takes many times as long, and advice to end it would be wrong. A stopped host is reported without this delay.
 */
export function patience(load = loadavg()[0] ?? 0, cores = availableParallelism()): number {
  return Math.min(Math.max(load / cores, 1), mostPatience)
}

/**
 * Time after which the host's process is inspected, so that a stopped host is reported early. Earlier inspections would
 * mostly find a host that is merely slow.
 */
const lookAfterMs = 800

/** Enough to start Node on a loaded machine and to read some files of /proc. */
const lookTimeoutMs = 5000
/** Enough to start Node on a loaded machine and to end a process with much memory. */
const endTimeoutMs = 15_000

/**
 * The answer of a host, or {@link HostHungError}: after {@link hungAfterMs} (or `limitMs`), longer on an overloaded
 * machine ({@link patience}), or at once when it turns out to be stopped.
 */
export async function unlessHung<T>(
  answer: Promise<T>,
  host: HostScript,
  info: HostInfo,
  limitMs = hungAfterMs,
): Promise<T> {
  const startedAt = performance.now()
  const timers: NodeJS.Timeout[] = []
  let condition: HostCondition | undefined
  const hung = new Promise<never>((_, reject) => {
    const fail = (): void => {
      reject(new HostHungError(host.root, info, condition, Math.round(performance.now() - startedAt)))
    }
    timers.push(setTimeout(fail, limitMs * patience()))
    if (lookAfterMs < limitMs) {
      timers.push(
        setTimeout(() => {
          lookAtHost(host).then(
            (seen) => {
              condition = seen
              if (seen?.state === 'stopped') fail()
            },
            () => undefined,
          )
        }, lookAfterMs),
      )
    }
  })
  try {
    return await Promise.race([answer, hung])
  } finally {
    for (const timer of timers) clearTimeout(timer)
    // A rejection after the race is over would otherwise be uncaught.
    answer.catch(() => undefined)
  }
}

/** Inspects the process of a workspace's host through the system, without a request to the host. */
export async function lookAtHost(host: HostScript): Promise<HostCondition> {
  const printed = await run(host, ['--look'], lookTimeoutMs)
  if (isHostCondition(printed)) return printed
  throw new Error(`The output of \`--look\` makes no sense: ${JSON.stringify(printed).slice(0, 200)}`)
}

/**
 * Ends a host by SIGKILL, and no other process: its workers end by their lifelines, or are found by the next host. Pid,
 * start time and command line are verified immediately before, in the one place that sends signals.
 */
export async function endHungHost(
  host: HostScript,
  { pid, startTime }: Pick<HostInfo, 'pid' | 'startTime'>,
  askedBy: 'cli' | 'user',
): Promise<HostEnd> {
  const args = ['--end', String(pid), '--start-time', startTime, '--asked-by', askedBy]
  const printed = await run(host, args, endTimeoutMs)
  const outcome = hostEnds.find((end) => (printed as { outcome?: unknown } | null)?.outcome === end)
  if (outcome !== undefined) return outcome
  throw new Error(`The output of \`--end\` makes no sense: ${JSON.stringify(printed).slice(0, 200)}`)
}

function isHostCondition(printed: unknown): printed is HostCondition {
  if (printed === null) return true
  if (typeof printed !== 'object') return false
  const { pid, startTime, state } = printed as { pid?: unknown; startTime?: unknown; state?: unknown }
  return isPid(pid) && typeof startTime === 'string' && processStates.some((known) => known === state)
}

function run(
  { root, hostScript, nodePath, env }: HostScript,
  args: readonly string[],
  timeoutMs: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...env, UNHANG_WORKER: undefined, ELECTRON_RUN_AS_NODE: '1' },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
    } as const
    execFile(nodePath, [hostScript, '--root', root, ...args], options, (error, stdout, stderr) => {
      if (error !== null) {
        reject(
          new Error(`The host could not be looked at: ${stderr.trim() === '' ? error.message : stderr.trim()}`, {
            cause: error,
          }),
        )
        return
      }
      try {
        resolve(JSON.parse(stdout))
      } catch (cause) {
        reject(new Error(`What was seen of the host makes no sense: ${stdout.slice(0, 200)}`, { cause }))
      }
    })
  })
}

const whatForceDoes =
  'SIGKILL to the host alone: the pools that it owns end with it, programs in terminals go on, and what outlives ' +
  'it is found by the next one'

function hungMessage(root: string, pid: number, condition: HostCondition | undefined, waitedMs: number): string {
  if (condition === null || (condition !== undefined && condition.pid !== pid)) {
    return (
      `The Unhang host of ${root} did not answer within ${waitedMs} ms, and pid ${pid}, by which it announced ` +
      `itself, is no host of this workspace here. Run the command again; if it stays so, \`unhang host status\` ` +
      'says which folder it uses.'
    )
  }
  if (condition?.state === 'stopped') {
    return (
      `The Unhang host of ${root} (pid ${pid}) is stopped, so it answers nobody. Continue it with \`kill -CONT ` +
      `${pid}\`, or end it with \`unhang host stop --force\` or \`kill -9 ${pid}\` (${whatForceDoes}).`
    )
  }
  const wait =
    condition?.state === 'uninterruptible' ? ': it waits inside the kernel, for a disk or a network folder' : ''
  return (
    `The Unhang host of ${root} (pid ${pid}) did not answer within ${waitedMs} ms${wait}. If it stays so, end it ` +
    `with \`unhang host stop --force\` or \`kill -9 ${pid}\` (${whatForceDoes}).`
  )
}
