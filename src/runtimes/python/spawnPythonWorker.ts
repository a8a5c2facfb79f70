import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { win32 } from 'node:path'
import { workerProcess, workerStdio } from '../wire/workerProcess'
import type { WorkerProcess } from '../wire/workerProcess'

/**
 * Starts a Python worker: in its own session (so that its children can be found and Ctrl+C in our terminal does not
 * reach it), with stdout and stderr piped, channel, lifeline and the file of claims. The environment is passed on
 * unchanged: the worker itself sets up line-buffered output in UTF-8, so that processes which a task starts are not
 * affected. Undefined pipes mean that it did not start; `child` then emits 'error'.
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
}): WorkerProcess | { readonly child: ChildProcess } {
  const child = spawn(options.pythonPath, [...launcherArguments(options.pythonPath), options.workerPath], {
    cwd: options.cwd,
    env: options.env,
    stdio: workerStdio(options.claimsFd),
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  return workerProcess(child)
}

/** Windows' launcher `py` may be set to Python 2 by its user. */
function launcherArguments(pythonPath: string): string[] {
  return process.platform === 'win32' && /^py(?:\.exe)?$/i.test(win32.basename(pythonPath)) ? ['-3'] : []
}
