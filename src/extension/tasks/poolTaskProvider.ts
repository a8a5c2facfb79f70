import {
  CustomExecution,
  Task,
  TaskScope,
  type Pseudoterminal,
  type TaskDefinition,
  type TaskProvider,
  type WorkspaceFolder,
} from 'vscode'

/** The `type` of our tasks in tasks.json. */
export const poolTaskType = 'pool'

/** Runs a resolved definition in a terminal. */
export type OpenPoolTerminal = (launch: PoolTaskLaunch) => Pseudoterminal | Promise<Pseudoterminal>

/** A pool task about to run, with its `${variables}` replaced by VS Code. */
export interface PoolTaskLaunch {
  readonly label: string
  readonly definition: Readonly<Record<string, unknown>>
  readonly folder: WorkspaceFolder | undefined
  /** False for one that was made up on the spot: no task of tasks.json has anything to add to it. */
  readonly isInTasksFile: boolean
}

/** Makes the pool tasks of tasks.json runnable. There are no others to detect, so listing them costs nothing. */
export class PoolTaskProvider implements TaskProvider {
  readonly #open: OpenPoolTerminal

  constructor(open: OpenPoolTerminal) {
    this.#open = open
  }

  provideTasks(): Task[] {
    return []
  }

  resolveTask(task: Task): Task {
    const scope = task.scope ?? TaskScope.Workspace
    const folder = typeof scope === 'object' ? scope : undefined
    const label = task.name
    // The very same definition object: VS Code compares it to tell which task was resolved.
    const resolved = new Task(
      task.definition,
      scope,
      label,
      task.source,
      new CustomExecution(async (definition: TaskDefinition) =>
        this.#open({ label, definition: withoutUndefined(definition), folder, isInTasksFile: true }),
      ),
    )
    resolved.presentationOptions = { ...task.presentationOptions }
    // Set even when there are none: else VS Code asks at the first run which ones to use.
    resolved.problemMatchers = task.problemMatchers
    return resolved
  }
}

/** VS Code fills in keys it knows with undefined; the host would call them wrong. */
function withoutUndefined(definition: TaskDefinition): Record<string, unknown> {
  return Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== undefined))
}
