import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { RenderedCommand } from './template'

/**
 * Starts one command as the leader of its own session, so that its descendants can be found and ended with it. Its
 * stdin is /dev/null, as with GNU parallel, because many processes cannot share a terminal's input.
 */
export function spawnCommand(command: RenderedCommand, options: { cwd: string; env: NodeJS.ProcessEnv }): ChildProcess {
  return spawn(command.file, command.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: command.shell,
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
}
