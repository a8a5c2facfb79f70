import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { win32 } from 'node:path'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

export interface PythonWorkerProcess {
  readonly child: ChildProcess
  readonly channel: Socket
  /** Held open for as long as this process lives; see unhang_worker/lifeline.py. */
  readonly lifeline: Socket
  readonly stdout: Readable
  readonly stderr: Readable
}

/** As unhang_worker/wire.py has them. */
const channelFd = 3
const lifelineFd = 4

/**
 * Starts a Python worker: its own session (so that what it starts can be found and Ctrl+C in our terminal does not reach it),
 * stdout and stderr piped, the channel, the lifeline, and the file of claims. The environment is passed on as it is: what the
 * worker needs of its interpreter (line-buffered output in UTF-8), it sets up itself, so that nothing of it reaches what a
 * task starts. Undefined pipes mean that it did not start; `child` emits 'error' then.
 */
export function spawnPythonWorker(options: {
  /** An absolute path, as `findPython` returns it. */
  pythonPath: string
  /** dist/python/worker.py */
  workerPath: string
  cwd: string
  env: NodeJS.ProcessEnv
  /** A descriptor of ours that the worker gets a copy of; they share one offset. Not on Windows. */
  claimsFd?: number | undefined
}): PythonWorkerProcess | { readonly child: ChildProcess } {
  const child = spawn(options.pythonPath, [...launcherArguments(options.pythonPath), options.workerPath], {
    cwd: options.cwd,
    env: options.env,
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

/** Windows' launcher `py` may be set to Python 2 by its user. */
function launcherArguments(pythonPath: string): string[] {
  return process.platform === 'win32' && /^py(?:\.exe)?$/i.test(win32.basename(pythonPath)) ? ['-3'] : []
}

/** The worker went first. */
function ignoreBrokenPipe(): void {
  // Its exit is what counts, and that has its own event.
}
