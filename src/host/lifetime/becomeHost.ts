import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessIdentity, type ProcessTable } from '../../processes'
import { ownPidNamespace, readHostInfo, type Endpoint } from '../../discovery'
import { tryLock } from './lock'

/** The holder of the lock lives, but never answered. */
export class OtherHostError extends Error {
  override readonly name = 'OtherHostError'
  constructor(
    readonly holder: ProcessIdentity,
    readonly waitedMs: number,
    readonly isStopped: boolean,
  ) {
    super(
      `Another host (pid ${holder.pid}) holds the lock and ` +
        `${isStopped ? 'is stopped' : `did not answer within ${waitedMs} ms`}. ` +
        `${isStopped ? `Continue it with \`kill -CONT ${holder.pid}\`, or end` : 'End'} it with \`unhang host stop ` +
        `--force\` or \`kill -9 ${holder.pid}\`.`,
    )
  }
}

/** A starting host listens within a second or two, even on a loaded machine. */
const waitMs = 10_000
const lookMs = 50

/**
 * Takes the lock of the workspace.
 * @returns true when this process is the host now, false when another one is and answers.
 * @throws {@link OtherHostError}
 */
export async function becomeHost(endpoint: Endpoint, self: ProcessIdentity, processes: ProcessTable): Promise<boolean> {
  const deadline = performance.now() + waitMs
  const pidNamespace = ownPidNamespace()
  for (;;) {
    const attempt = await tryLock(endpoint.directory, { ...self, pidNamespace }, async (holder) =>
      // A process in another container is invisible: it counts as alive when it answers.
      holder.pidNamespace !== undefined && holder.pidNamespace !== pidNamespace
        ? await announcedAnswers(endpoint)
        : await isAlive(processes, holder),
    )
    if (attempt.held) return true
    // The holder of the lock may be starting, or ending; a later attempt finds out.
    const info = await readHostInfo(endpoint)
    if (
      info?.pid === attempt.holder.pid &&
      info.startTime === attempt.holder.startTime &&
      (await answers(info.socketPath))
    )
      return false
    const row = await processes.inspect(attempt.holder)
    const isStopped = row?.state === 'stopped'
    // A stopped process neither starts nor ends in that time.
    if (isStopped || performance.now() > deadline) throw new OtherHostError(attempt.holder, waitMs, isStopped)
    await sleep(lookMs)
  }
}

async function announcedAnswers(endpoint: Endpoint): Promise<boolean> {
  const info = await readHostInfo(endpoint)
  return info !== undefined && (await answers(info.socketPath))
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    const give = (answer: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => {
      give(false)
    }, 1000)
    socket.once('connect', () => {
      give(true)
    })
    socket.once('error', () => {
      give(false)
    })
  })
}
