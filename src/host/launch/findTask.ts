import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { closest, type DefinitionProblem } from '../../protocol'
import { LaunchError } from './errors'
import { parseTasksFile, type PoolTask } from './tasksFile'

/**
 * The pool task with a label in the workspace's tasks.json.
 * @throws {@link LaunchError} with the key `label` when there is no such file or task, or more than one.
 */
export async function findTask(root: string, label: string): Promise<PoolTask> {
  const file = join(root, '.vscode', 'tasks.json')
  const fail = (message: string, code: DefinitionProblem['code'] = 'not-found') => new LaunchError(`"${label}"`, [{ path: ['label'], code, message }])
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw fail(`There is no ${file}. Make it, with a task of "type": "pool" and "label": "${label}".`)
    }
    throw fail(`${file} cannot be read (${error instanceof Error ? error.message : String(error)}).`, 'unreadable')
  }
  const parsed = parseTasksFile(text)
  const [syntaxError] = parsed.syntaxErrors
  if (syntaxError) throw fail(`${file}:${syntaxError.line}:${syntaxError.column} is no valid JSON (${syntaxError.message}). Correct it there.`, 'unreadable')
  const [found, another] = parsed.poolTasks.filter((task) => task.label === label)
  if (found && another) throw fail(`Two pool tasks in ${file} have the label "${label}". Give each one its own.`, 'conflict')
  if (found) return found
  const other = parsed.otherTasks.find((task) => task.label === label)
  if (other) throw fail(`The task "${label}" has the type "${other.type}". Only tasks of "type": "pool" can be launched as a pool.`)
  const labels = parsed.poolTasks.flatMap((task) => task.label ?? [])
  if (labels.length === 0) throw fail(`${file} has no task of "type": "pool". Add one with "label": "${label}".`)
  const meant = closest(label, labels)
  throw fail(`No pool task is called "${label}". ${meant === undefined ? '' : `Did you mean "${meant}"? `}There ${labels.length === 1 ? 'is' : 'are'}: ${labels.map((one) => `"${one}"`).join(', ')}.`)
}
