import { Uri, commands, tasks, window, workspace, type Task } from 'vscode'
import * as l10n from '@vscode/l10n'
import type { CommandHandlers } from '../contributions/commands'
import type { Choice, Prompts } from '../prompts/prompts'
import { poolTaskType } from '../tasks/poolTaskProvider'
import { UntrustedWorkspaceError } from '../client/connection'
import { readArguments } from './arguments'
import { sampleTasksFile } from './sampleTasksFile'

/** Commands that start something: a pool task by VS Code's own task runner, so that it gets its terminal. */
export function launchCommands(prompts: () => Prompts): Pick<CommandHandlers, 'unhang.launchPool' | 'unhang.createTasksFile'> {
  return {
    'unhang.launchPool': async (...args) => {
      if (!workspace.isTrusted) throw new UntrustedWorkspaceError()
      const { label } = readArguments(args)
      const task = label === undefined ? await pickPoolTask(prompts()) : await findPoolTask(label, prompts())
      if (task !== undefined) await tasks.executeTask(task)
    },
    'unhang.createTasksFile': async () => {
      const folder = workspace.workspaceFolders?.[0]
      if (folder === undefined) return
      const uri = Uri.joinPath(folder.uri, '.vscode', 'tasks.json')
      if (!(await exists(uri))) await workspace.fs.writeFile(uri, new TextEncoder().encode(sampleTasksFile))
      await window.showTextDocument(uri)
    },
  }
}

async function poolTasks(): Promise<Task[]> {
  return (await tasks.fetchTasks({ type: poolTaskType })).filter((task) => task.definition.type === poolTaskType)
}

async function findPoolTask(label: string, prompts: Prompts): Promise<Task | undefined> {
  const found = (await poolTasks()).find((task) => task.name === label)
  if (found === undefined) {
    await prompts.notify('warning', l10n.t('There is no pool task “{0}” in tasks.json. Save the file if you have just written it.', label), [])
  }
  return found
}

async function pickPoolTask(prompts: Prompts): Promise<Task | undefined> {
  const found = await poolTasks()
  if (found.length > 0) {
    const choices = found.map<Choice<Task>>((task) => ({ label: task.name, description: folderName(task), value: task }))
    return prompts.pickOne(choices, { title: l10n.t('Launch Pool Task'), placeholder: l10n.t('The pool task to run') })
  }
  const create = l10n.t('Create tasks.json')
  const answer = await prompts.notify('info', l10n.t('There is no task of type “pool” in .vscode/tasks.json yet.'), [create])
  if (answer === create) await commands.executeCommand('unhang.createTasksFile')
  return undefined
}

function folderName({ scope }: Task): string {
  return typeof scope === 'object' && (workspace.workspaceFolders?.length ?? 0) > 1 ? scope.name : ''
}

async function exists(uri: Uri): Promise<boolean> {
  try {
    await workspace.fs.stat(uri)
    return true
  } catch {
    // stat() has no other way to say no; what else is wrong with the file, opening it will tell.
    return false
  }
}
