import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { validateDefinition, type DefinitionProblem, type PoolDefinition } from '../../protocol/schemas'
import { openItems, type ItemLook, type ItemSource } from './items'
import { programProblems } from './program'
import { checkPython } from './pythonProgram'
import { holdsVariable, resolveVariables } from './variables'

/** A definition that can run, with every variable resolved and every file found. */
export interface CheckedDefinition {
  readonly definition: PoolDefinition
  /** Absolute. */
  readonly cwd: string
  readonly items: ItemSource
  /** Absolute path of the Python interpreter, for `python`. */
  readonly interpreter: string | undefined
}

/** A client's settings for keys that a definition leaves out. */
export interface ProgramSettings {
  /** `unhang.pythonPath`, as it was written. */
  readonly pythonPath?: string | undefined
}

export type Checked =
  | { readonly ok: true; readonly checked: CheckedDefinition }
  | { readonly ok: false; readonly problems: DefinitionProblem[] }

/**
 * All checks of a definition that need no process; the same before a launch and for the diagnostics in the editor.
 * @param env The environment the workers would have, before the definition's own additions.
 * @param settings Left out where they are not known, as for the editor's diagnostics: checks that depend on them are
 * skipped.
 * @param look How thoroughly the items are checked.
 */
export async function checkDefinition(
  given: unknown,
  root: string,
  env: NodeJS.ProcessEnv,
  settings?: ProgramSettings,
  look: ItemLook = { purpose: 'launch' },
): Promise<Checked> {
  const validated = validateDefinition(given)
  if (!validated.ok) return validated
  const variables = { workspaceFolder: root, env }
  const { value: definition, problems } = resolveVariables(validated.definition, variables)
  const cwd = resolve(root, definition.cwd ?? '.')
  let interpreter: string | undefined
  if (!(definition.cwd !== undefined && holdsVariable(definition.cwd))) {
    const isFolder = await stat(cwd).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (!isFolder) {
      problems.push({
        path: ['cwd'],
        code: 'not-found',
        message: `"cwd": there is no folder ${cwd}. Write the path of a folder, relative to the workspace folder.`,
      })
      // All other paths are relative to it: they would only repeat the same fault.
      return { ok: false, problems }
    }
    const workersEnv = environmentOf(env, definition)
    const setting = settings && {
      pythonPath: settings.pythonPath && resolveVariables(settings.pythonPath, variables).value,
    }
    const python = await checkPython(definition, { cwd, root, env: workersEnv, setting, read: look.read })
    interpreter = python.interpreter
    problems.push(...python.problems, ...(await programProblems(definition, cwd, workersEnv)))
  }
  const items = await openItems(definition.items ?? [], cwd, look)
  if ('problem' in items) {
    // A path with an unresolved variable does not exist either; the variable alone is reported.
    if (!problems.some((problem) => problem.path[0] === 'items')) problems.push(items.problem)
    return { ok: false, problems }
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, checked: { definition, cwd, items: items.source, interpreter } }
}

/** The environment of a definition's processes: what the client has, with the definition's own changes. */
export function environmentOf(env: NodeJS.ProcessEnv, definition: PoolDefinition): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...env }
  for (const [name, value] of Object.entries(definition.env ?? {})) {
    if (value === null) Reflect.deleteProperty(merged, name)
    else merged[name] = value
  }
  return merged
}
