import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { workerProcess, workerStdio } from '../wire/workerProcess'
import type { WorkerProcess } from '../wire/workerProcess'

/**
 * Starts a module worker: in its own session (so that its children can be found and Ctrl+C in our terminal does not
 * reach it), with stdout and stderr piped, channel, lifeline and the file of claims. Undefined pipes mean that it did
 * not start; `child` then emits 'error'.
 */
export function spawnNodeWorker(options: {
  nodePath: string
  workerPath: string
  cwd: string
  env: NodeJS.ProcessEnv
  /** See wire/claims.ts; undefined where nothing is sent ahead. */
  claimsFd: number | undefined
}): WorkerProcess | { readonly child: ChildProcess } {
  const child = spawn(options.nodePath, [options.workerPath], {
    cwd: options.cwd,
    // Inside VS Code's own processes execPath is Electron, which runs as Node only with this variable.
    env: process.versions.electron === undefined ? options.env : { ...options.env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: workerStdio(options.claimsFd),
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  return workerProcess(child)
}
