import { relative } from 'node:path'
import { CustomExecution, Task, TaskScope, Uri, tasks, window, workspace, type WorkspaceFolder } from 'vscode'
import * as l10n from '@vscode/l10n'
import { HostUnavailableError, UntrustedWorkspaceError } from '../client/connection'
import type { FolderSession } from '../client/folderSession'
import type { Sessions } from '../client/sessions'
import type { CommandHandlers } from '../contributions/commands'
import { disposableInterval } from '../lifecycle'
import { nameOfProgram, programOfLine } from '../programs/commandLine'
import { interpreterFor } from '../programs/interpreter'
import type { Choice, ChoiceHeading, LiveChoices, Prompts } from '../prompts/prompts'
import { poolTaskType, type OpenPoolTerminal } from '../tasks/poolTaskProvider'
import { processLines } from '../text/processes'
import type { PoolsView } from '../view/poolsView'

/** What the commands for the user's own programs need. */
export interface ProgramCommandContext {
  readonly sessions: Sessions
  readonly prompts: () => Prompts
  readonly view: PoolsView
  readonly open: OpenPoolTerminal
  readonly onError: (error: unknown) => void
}

/** As often as a person can follow a list that changes. */
const processesEveryMs = 2_000
/** Reading the process table of a busy machine, and what each of the program's processes is. */
const attachTimeoutMs = 30_000

/** Commands that watch a program of the user's own: one that they start, and one that runs already. */
export function programCommands(
  context: ProgramCommandContext,
): Pick<CommandHandlers, 'unhang.watchProgram' | 'unhang.attachProcess'> {
  let lastLine = ''
  return {
    'unhang.watchProgram': async (file) => {
      if (!workspace.isTrusted) throw new UntrustedWorkspaceError()
      const chosen = file instanceof Uri ? pythonFile(file) : await chooseProgram(context, lastLine)
      if (chosen === undefined) return
      if (chosen.line !== undefined) lastLine = chosen.line
      if (chosen.file !== undefined) await saveFile(chosen.file)
      await runUnderWatch(context, chosen)
    },
    'unhang.attachProcess': async () => {
      if (!workspace.isTrusted) throw new UntrustedWorkspaceError()
      await attach(context)
    },
  }
}

interface ChosenProgram {
  readonly program: string | readonly string[]
  readonly folder: WorkspaceFolder | undefined
  /** What was typed. */
  readonly line?: string
  /** The file that is open. */
  readonly file?: Uri
}

/** The Python file that is open, or a command line. */
async function chooseProgram({ prompts }: ProgramCommandContext, lastLine: string): Promise<ChosenProgram | undefined> {
  const document = window.activeTextEditor?.document
  const file =
    document?.languageId === 'python' && document.uri.scheme === 'file' ? pythonFile(document.uri) : undefined
  const title = l10n.t('Run Program Under Watch')
  if (file !== undefined) {
    const choices: Choice<ChosenProgram | 'other'>[] = [
      { label: file.program.join(' '), description: l10n.t('the file that is open'), value: file },
      { label: l10n.t('Another command line…'), value: 'other' },
    ]
    const picked = await prompts().pickOne(choices, {
      title,
      placeholder: l10n.t('The program to run unchanged, with its process pools in view'),
    })
    if (picked !== 'other') return picked
  }
  const line = await prompts().input({
    title,
    prompt: l10n.t('The program to run unchanged, with its process pools in view'),
    placeholder: 'python3 train.py --epochs 3',
    value: lastLine,
  })
  return line === undefined
    ? undefined
    : { program: programOfLine(line), folder: workspace.workspaceFolders?.[0], line }
}

function pythonFile(uri: Uri): ChosenProgram & { readonly program: readonly string[] } {
  const folder = workspace.getWorkspaceFolder(uri) ?? workspace.workspaceFolders?.[0]
  const within = folder === undefined ? '' : relative(folder.uri.fsPath, uri.fsPath)
  const path = within === '' || within.startsWith('..') ? uri.fsPath : within
  return { program: [folder === undefined ? 'python3' : interpreterFor(folder.uri), path], folder, file: uri }
}

async function saveFile(uri: Uri): Promise<void> {
  await workspace.textDocuments
    .find((document) => document.uri.toString() === uri.toString() && document.isDirty)
    ?.save()
}

/** By VS Code's own task runner, so that it has a terminal and can be run again and ended as any task. */
async function runUnderWatch({ open }: ProgramCommandContext, { program, folder }: ChosenProgram): Promise<void> {
  const label = nameOfProgram(program)
  const definition = { type: poolTaskType, label, program }
  const task = new Task(
    definition,
    folder ?? TaskScope.Workspace,
    label,
    poolTaskType,
    new CustomExecution(async () => open({ label, definition: { ...definition }, folder, isInTasksFile: false })),
  )
  task.problemMatchers = []
  await tasks.executeTask(task)
}

async function attach({ sessions, prompts, view, onError }: ProgramCommandContext): Promise<void> {
  const session = sessions.of(activeFolder())
  if (session === undefined) throw new HostUnavailableError('a pool needs a folder on this machine. Open one.')
  const pid = await prompts().pickLive(runningProcesses(session, onError), {
    title: l10n.t('Attach to Running Process'),
    placeholder: l10n.t('The program to attach to, read-only'),
  })
  if (pid === undefined) return
  const { programId, name } = await session.request('unhang/attach', { pid }, { timeoutMs: attachTimeoutMs })
  await session.refresh()
  if (session.store.pool(programId) === undefined)
    await prompts().notify('warning', l10n.t('{0} (pid {1}) has ended.', name, pid), [])
  else await view.reveal({ kind: 'pool', poolId: programId })
}

function activeFolder(): Uri | undefined {
  const uri = window.activeTextEditor?.document.uri
  return uri === undefined ? undefined : workspace.getWorkspaceFolder(uri)?.uri
}

/** What runs, for as long as the picker is open. */
function runningProcesses(session: FolderSession, onError: (error: unknown) => void): LiveChoices<number> {
  return (show) => {
    let isOpen = true
    let isAsking = false
    let failed = false
    const look = async (): Promise<void> => {
      if (isAsking || failed) return
      isAsking = true
      try {
        const { processes } = await session.request('unhang/processes', {})
        if (stillOpen())
          show(
            processLines(processes).map((line): Choice<number> | ChoiceHeading =>
              line.kind === 'heading'
                ? { heading: line.text }
                : { label: line.label, description: line.description, value: line.pid },
            ),
          )
      } catch (error) {
        // Said once; an empty picker can be closed, and opened again.
        failed = true
        if (stillOpen()) {
          show([])
          onError(error)
        }
      } finally {
        isAsking = false
      }
    }
    const stillOpen = (): boolean => isOpen
    const timer = disposableInterval(() => void look(), processesEveryMs)
    void look()
    return {
      dispose: () => {
        isOpen = false
        timer.dispose()
      },
    }
  }
}
