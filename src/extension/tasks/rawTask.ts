import { workspace, type Uri } from 'vscode'

/**
 * A task as it is written in tasks.json. VS Code drops the keys that a task type does not declare (and those that are
 * null) before it runs the task, so a misspelt key would be ignored in silence; the host is given them to say so.
 */
export function rawTask(label: string, folder: Uri | undefined): Readonly<Record<string, unknown>> | undefined {
  const inspected = workspace.getConfiguration('tasks', folder ?? null).inspect<unknown>('tasks')
  for (const tasks of [inspected?.workspaceFolderValue, inspected?.workspaceValue, inspected?.globalValue]) {
    const found: unknown = Array.isArray(tasks) ? tasks.find((task) => isPoolTask(task, label)) : undefined
    if (found !== undefined) return found as Readonly<Record<string, unknown>>
  }
  return undefined
}

function isPoolTask(task: unknown, label: string): boolean {
  if (typeof task !== 'object' || task === null) return false
  const { type, label: name } = task as Readonly<Record<string, unknown>>
  return type === 'pool' && name === label
}
