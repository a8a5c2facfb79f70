import { join } from 'node:path'
import { readForeign, type ReadForeign } from '../../files'
import { closest, type DefinitionProblem } from '../../protocol/schemas'
import { LaunchError } from '../terms/launchError'
import { parseTasksFile, type PoolTask } from './tasksFile'

/** A thousand tasks have a tenth of that; the parser needs some tenths of a second for it. */
const largestBytes = 4 * 1024 * 1024
/** As long as a client can wait for what comes after it, too. */
const patienceMs = 5000

/**
 * The pool task with a label in the workspace's tasks.json.
 * @throws {@link LaunchError} with the key `label` when there is no such file or task, or more than one.
 */
export async function findTask(root: string, label: string, read: ReadForeign = readForeign): Promise<PoolTask> {
  const file = join(root, '.vscode', 'tasks.json')
  const fail = (message: string, code: DefinitionProblem['code'] = 'not-found') =>
    new LaunchError(`"${label}"`, [{ path: ['label'], code, message }])
  const answer = await read({ kind: 'text', path: file, mostBytes: largestBytes }, { deadlineMs: patienceMs })
  if (answer.kind === 'fault') {
    if (answer.fault === 'missing')
      throw fail(`There is no ${file}. Make it, with a task of "type": "pool" and "label": "${label}".`)
    throw fail(`${file} ${answer.reason}.`, 'unreadable')
  }
  const parsed = parseTasksFile(answer.kind === 'text' ? answer.text : '')
  const [syntaxError] = parsed.syntaxErrors
  if (syntaxError)
    throw fail(
      `${file}:${syntaxError.line}:${syntaxError.column} is no valid JSON (${syntaxError.message}). Correct it there.`,
      'unreadable',
    )
  const [found, another] = parsed.poolTasks.filter((task) => task.label === label)
  if (found && another)
    throw fail(`Two pool tasks in ${file} have the label "${label}". Give each one its own.`, 'conflict')
  if (found) return found
  const other = parsed.otherTasks.find((task) => task.label === label)
  if (other)
    throw fail(
      `The task "${label}" has the type "${other.type}". Only tasks of "type": "pool" can be launched as a pool.`,
    )
  const labels = parsed.poolTasks.flatMap((task) => task.label ?? [])
  if (labels.length === 0) throw fail(`${file} has no task of "type": "pool". Add one with "label": "${label}".`)
  const meant = closest(label, labels)
  throw fail(
    `No pool task is called "${label}". ${meant === undefined ? '' : `Did you mean "${meant}"? `}There ` +
      `${labels.length === 1 ? 'is' : 'are'}: ${labels.map((one) => `"${one}"`).join(', ')}.`,
  )
}
