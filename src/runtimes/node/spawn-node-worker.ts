import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { channelFd, lifelineFd } from './lifeline'

export interface NodeWorkerProcess {
  readonly child: ChildProcess
  readonly channel: Socket
  /** Held open for as long as this process lives; see lifeline.ts. */
  readonly lifeline: Socket
  readonly stdout: Readable
  readonly stderr: Readable
}

/**
 * Starts a module worker: its own session (so that what it starts can be found and Ctrl+C in our terminal does not reach it),
 * stdout and stderr piped, the channel and the lifeline, and the file of claims. Undefined pipes mean that it did not start;
 * `child` emits 'error' then.
 */
export function spawnNodeWorker(options: {
  nodePath: string
  workerPath: string
  cwd: string
  env: NodeJS.ProcessEnv
  /** See wire/claims.ts; undefined where nothing is sent ahead. */
  claimsFd: number | undefined
}): NodeWorkerProcess | { readonly child: ChildProcess } {
  const child = spawn(options.nodePath, [options.workerPath], {
    cwd: options.cwd,
    // Inside VS Code's own processes execPath is Electron, which is a Node only when it is told so.
    env: process.versions.electron === undefined ? options.env : { ...options.env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...(options.claimsFd === undefined ? [] : [options.claimsFd])],
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const channel = child.stdio[channelFd] as Socket | null | undefined
  const lifeline = child.stdio[lifelineFd] as Socket | null | undefined
  const { stdout, stderr } = child
  if (child.pid === undefined || !channel || !lifeline || !stdout || !stderr) return { child }
  lifeline.on('error', ignoreBrokenPipe)
  // Only to be held: reading would keep our event loop busy with a pipe that never carries anything.
  lifeline.pause()
  lifeline.unref()
  return { child, channel, lifeline, stdout, stderr }
}

/** The worker went first. */
function ignoreBrokenPipe(): void {
  // Its exit is what counts, and that has its own event.
}
