import { exitCodes } from '../exitCodes'
import { psJson } from '../ps/json'
import { measuredPools } from '../ps/measure'
import { psText } from '../ps/text'
import { printJson, type Command } from './context'

/** `unhang ps`: every pool of the workspace. Without a host there is none, and none is started to say so. */
export const ps: Command<[{ json?: true; all?: true }]> = async ({ access, terminal }, { json, all }) => {
  const pools = (await access.runningOrSurvived(measuredPools)) ?? []
  if (json) printJson(terminal, psJson(pools))
  else terminal.print(psText(pools, { palette: terminal.stdoutPalette, all: all === true }))
  return exitCodes.ok
}
