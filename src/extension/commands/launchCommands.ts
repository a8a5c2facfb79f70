import { Uri, commands, tasks, workspace, type Task } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { CommandHandlers } from '../contributions/commands'
import type { Choice, Prompts } from '../prompts/prompts'
import { poolTaskType } from '../tasks/poolTaskProvider'
import { UntrustedWorkspaceError } from '../client/connection'
import { readArguments } from './arguments'
import { createTasksFile } from './createTasksFile'
import { tasksNamed } from './namedTasks'
import { writeSampleTask } from './writeSampleTask'

/** Commands that start something: a pool task by VS Code's own task runner, so that it gets its terminal. */
export function launchCommands(
  prompts: () => Prompts,
): Pick<CommandHandlers, 'unhang.launchPool' | 'unhang.createTasksFile'> {
  return {
    'unhang.launchPool': async (...args) => {
      if (!workspace.isTrusted) throw new UntrustedWorkspaceError()
      const { label, folder } = readArguments(args)
      const task = label === undefined ? await pickPoolTask(prompts()) : await findPoolTask(label, folder, prompts())
      if (task !== undefined) await tasks.executeTask(task)
    },
    'unhang.createTasksFile': () =>
      createTasksFile({
        isTrusted: () => workspace.isTrusted,
        folders: () => workspace.workspaceFolders ?? [],
        prompts,
        write: (folder) => writeSampleTask(folder, prompts()),
      }),
  }
}

async function poolTasks(): Promise<Task[]> {
  return (await tasks.fetchTasks({ type: poolTaskType })).filter((task) => task.definition.type === poolTaskType)
}

async function findPoolTask(label: string, folder: string | undefined, prompts: Prompts): Promise<Task | undefined> {
  // Through the parser, as two ways to write one address are the same folder.
  const found = tasksNamed(await poolTasks(), label, folder === undefined ? undefined : Uri.parse(folder).toString())
  if (found.length === 0) {
    await prompts.notify(
      'warning',
      l10n.t('There is no pool task “{0}” in tasks.json. Save the file if you have just written it.', label),
      [],
    )
  }
  return found.length > 1 ? pick(found, prompts) : found[0]
}

async function pickPoolTask(prompts: Prompts): Promise<Task | undefined> {
  const found = await poolTasks()
  if (found.length > 0) return pick(found, prompts)
  const create = l10n.t('Create tasks.json')
  const answer = await prompts.notify('info', l10n.t('There is no task of type “pool” in .vscode/tasks.json.'), [
    create,
  ])
  if (answer === create) await commands.executeCommand('unhang.createTasksFile')
  return undefined
}

function pick(found: readonly Task[], prompts: Prompts): Promise<Task | undefined> {
  const choices = found.map<Choice<Task>>((task) => ({ label: task.name, description: folderName(task), value: task }))
  return prompts.pickOne(choices, { title: l10n.t('Launch Pool Task'), placeholder: l10n.t('The pool task to run') })
}

function folderName({ scope }: Task): string {
  return typeof scope === 'object' && (workspace.workspaceFolders?.length ?? 0) > 1 ? scope.name : ''
}
