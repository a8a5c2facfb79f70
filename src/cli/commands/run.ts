import { constants } from 'node:os'
import type { WatchOptions } from '../../protocol'
import { errorText } from '../errors'
import { exitCodes, type Exit } from '../exitCodes'
import type { Terminal } from '../output/terminal'
import { inheritedDescriptors } from '../run/inheritedDescriptors'
import { diesBy, ProgramProcess, type ProgramStart } from '../run/programProcess'
import { StartError } from '../run/startError'
import { Watching, type ProgramEnd } from '../run/watching'
import type { Command, CommandContext } from './context'

/**
 * `unhang run -- PROGRAM ARGS…`: runs the user's own program here, watched. It ends as the program ends: with its exit
 * code, or by its signal (128 + its number where that would leave a core file of ours). Never 0 once Unhang has ended
 * it: 143, or 137 after a kill. 127: no such program; 126: not executable.
 */
export const run: Command<[string[], WatchOptions]> = async (context, argv, options) => {
  const { access, terminal } = context
  const inherited = inheritedDescriptors()
  const progress: { begun: boolean; end: Exit | undefined } = { begun: false, end: undefined }
  try {
    await access.started(async (host) => {
      const watching = await Watching.begin(host, terminal, argv, options)
      progress.begun = true
      progress.end = await runProgram(
        { argv, env: { ...process.env, ...watching.session.env }, inherited },
        context,
        watching,
      )
    })
  } catch (error) {
    // A program is never run twice, whatever happened to the host meanwhile.
    if (progress.end !== undefined) return progress.end
    if (progress.begun) throw error
    terminal.note(terminal.stderrPalette.warning(`unhang: the program runs unwatched, because ${reason(error)}`))
    return await runProgram({ argv, env: process.env, inherited }, context, undefined)
  }
  return progress.end ?? exitCodes.failure
}

async function runProgram(
  program: ProgramStart,
  { terminal }: CommandContext,
  watching: Watching | undefined,
): Promise<Exit> {
  // The program writes to the same terminal: what we have to say comes before it, or after.
  await terminal.drained()
  try {
    const end = await new ProgramProcess().run(program, (pid) => {
      watching?.started(pid)
    })
    return exitOf(end, await watching?.exited(end))
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    await watching?.exited({ exitCode: error.exitCode, signal: null })
    return failed(terminal, error)
  }
}

function failed(terminal: Terminal, error: StartError): Exit {
  terminal.note(errorText(error))
  return error.exitCode
}

/**
 * How we end, so that the shell sees what it would have seen of the program. One that was ended by Unhang and says 0
 * itself has not done its work: what comes after `&&` must not run.
 */
export function exitOf({ exitCode, signal }: ProgramEnd, endedBy: NodeJS.Signals | null = null): Exit {
  if (exitCode === 0 && endedBy !== null) return 128 + constants.signals[endedBy]
  if (signal === null) return exitCode ?? exitCodes.failure
  return diesBy(signal) ? signal : 128 + constants.signals[signal]
}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`
}
