import { exitCodes } from '../exitCodes'
import { psJson } from '../ps/json'
import { measuredPools } from '../ps/measure'
import { psText } from '../ps/text'
import { fetchRunning } from '../snapshots'
import { printJson, type Command } from './context'

/** `unhang ps`: every pool of the workspace. Without a host there is none, and none is started to say so. */
export const ps: Command<[{ json?: true; all?: true }]> = async ({ access, terminal }, { json, all }) => {
  const { pools, unwatched } = (await access.runningOrSurvived((host) => fetchRunning(host, measuredPools))) ?? {
    pools: [],
    unwatched: [],
  }
  if (json) printJson(terminal, psJson(pools, unwatched))
  else terminal.print(psText(pools, { palette: terminal.stdoutPalette, all: all === true, unwatched }))
  return exitCodes.ok
}
