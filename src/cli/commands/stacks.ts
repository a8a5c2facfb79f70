import { TargetError } from '../errors'
import { exitCodes } from '../exitCodes'
import { stacksText } from '../stacks/text'
import { printJson, type Command } from './context'

/** An interpreter that holds its lock in C code is asked, then signalled, then py-spy is tried. */
const stacksTimeoutMs = 30_000

/**
 * `unhang stacks PID`: what each thread of a worker or a watched program is doing. `--json`: `{ pid, name, source,
 * threads: [{ id, name, frames: [{ file, line, function, code }] }], note }`, the innermost frame first.
 */
export const stacks: Command<[number, { json?: true }]> = async ({ access, terminal }, pid, { json }) => {
  const found = await access.runningOrSurvived((host) =>
    host.request('unhang/stacks', { pid }, { timeoutMs: stacksTimeoutMs }),
  )
  if (found === undefined) {
    throw new TargetError(`nothing here has the pid ${pid}`, [
      `No host runs for ${access.root}, so nothing is watched. To look at a program that runs already: unhang ` +
        `attach ${pid}`,
    ])
  }
  if (json) printJson(terminal, found)
  else terminal.print(stacksText(found, terminal.stdoutPalette))
  return exitCodes.ok
}
