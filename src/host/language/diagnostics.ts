import { DiagnosticSeverity, type Diagnostic } from 'vscode-languageserver/node'
import type { TextDocument } from 'vscode-languageserver-textdocument'
import type { DefinitionProblem } from '../../protocol/schemas'
import { checkDefinition } from '../launch/checkDefinition'
import type { ItemLook } from '../launch/items'
import { parseTasksFile, placeOf, tooDeep, type PoolTask } from '../launch/tasksFile'

/**
 * The problems that keep the pool tasks of a tasks.json from running, each at its key. Syntax errors are left to the
 * editor's own JSON support, as are variables that only the editor resolves.
 * @param root The workspace folder that the document belongs to.
 * @param look Cancels the checks of a text that was edited since.
 */
export async function diagnosticsOf(
  document: TextDocument,
  root: string,
  env: NodeJS.ProcessEnv,
  look: Omit<ItemLook, 'purpose'> = {},
): Promise<Diagnostic[]> {
  const { poolTasks, tooDeepAt } = parseTasksFile(document.getText())
  if (tooDeepAt !== undefined) {
    return [
      {
        range: { start: document.positionAt(tooDeepAt), end: document.positionAt(tooDeepAt + 1) },
        severity: DiagnosticSeverity.Error,
        source: 'unhang',
        code: 'out-of-range',
        message: `This file is ${tooDeep}. Its pool tasks are not read; write it flatter.`,
      },
    ]
  }
  const found = await Promise.all(
    poolTasks.map(async (task) => {
      const result = await checkDefinition(task.definition, root, env, undefined, { ...look, purpose: 'edit' })
      const problems = result.ok ? [] : result.problems.filter((problem) => problem.code !== 'unresolved-variable')
      return [...labelProblems(task, poolTasks), ...problems].map((problem) => diagnosticOf(document, task, problem))
    }),
  )
  return found.flat()
}

function labelProblems(task: PoolTask, all: readonly PoolTask[]): DefinitionProblem[] {
  if (task.label === undefined)
    return [
      {
        path: [],
        code: 'missing',
        message: '"label" is missing: write the name under which the pool is launched and shown.',
      },
    ]
  if (all.some((other) => other !== task && other.label === task.label)) {
    return [
      {
        path: ['label'],
        code: 'conflict',
        message: `Two pool tasks have the label "${task.label}". Give each one its own.`,
      },
    ]
  }
  return []
}

function diagnosticOf(document: TextDocument, task: PoolTask, problem: DefinitionProblem): Diagnostic {
  const { offset, length } = placeOf(task, problem.path)
  return {
    range: { start: document.positionAt(offset), end: document.positionAt(offset + length) },
    severity: DiagnosticSeverity.Error,
    source: 'unhang',
    code: problem.code,
    message: problem.message,
  }
}
