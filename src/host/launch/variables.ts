import { basename, sep } from 'node:path'
import { type DefinitionProblem, keyOf } from '../../protocol/schemas'
import { homeFolder } from '../../discovery'

/** The values of `${…}` in a pool task. */
export interface VariableContext {
  readonly workspaceFolder: string
  readonly env: NodeJS.ProcessEnv
}

/** Variables that only an editor knows; a task run by VS Code arrives with them resolved. */
const editorVariable =
  /^(?:file(?:Basename|Dirname|Extname|BasenameNoExtension|BasenameNoExt|WorkspaceFolder|DirnameBasename)?|relativeFile(?:Dirname)?|lineNumber|columnNumber|selectedText|execPath|defaultBuildTask|extensionInstallFolder|(?:config|input|command|workspaceFolder|workspaceFolderBasename):.*)$/

/** True if a text holds a variable that could not be resolved, so that it names no file. */
export function holdsVariable(text: string): boolean {
  return /\$\{[^}]*\}/.test(text)
}

/**
 * Replaces VS Code's variables in every string of a definition. `${item}` and `${index}` stay for the pool; unknown
 * variables stay too, as a shell has variables of the same form.
 */
export function resolveVariables<T>(value: T, context: VariableContext): { value: T; problems: DefinitionProblem[] } {
  const problems: DefinitionProblem[] = []
  const resolve = (inner: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof inner === 'string') return resolveText(inner, path, context, problems)
    if (Array.isArray(inner)) return inner.map((element, index) => resolve(element, [...path, index]))
    if (typeof inner === 'object' && inner !== null) {
      return Object.fromEntries(Object.entries(inner).map(([key, element]) => [key, resolve(element, [...path, key])]))
    }
    return inner
  }
  return { value: resolve(value, []) as T, problems }
}

function resolveText(
  text: string,
  path: readonly (string | number)[],
  context: VariableContext,
  problems: DefinitionProblem[],
): string {
  if (!text.includes('${')) return text
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    if (name.startsWith('env:')) return context.env[name.slice(4)] ?? ''
    switch (name) {
      case 'workspaceFolder':
      case 'workspaceRoot':
      case 'cwd':
        return context.workspaceFolder
      case 'workspaceFolderBasename':
        return basename(context.workspaceFolder)
      case 'userHome':
        return userHome(path, whole, context, problems)
      case 'pathSeparator':
      case '/':
        return sep
      default:
        if (editorVariable.test(name)) {
          problems.push({
            path,
            code: 'unresolved-variable',
            message:
              `"${keyOf(path)}" holds ${whole}, which only VS Code can resolve. Run the task there, or write the ` +
              'value itself.',
          })
        }
        return whole
    }
  })
}

/** Left as it is where the user has no home: a path that begins with nothing would be another one. */
function userHome(
  path: readonly (string | number)[],
  whole: string,
  { env }: VariableContext,
  problems: DefinitionProblem[],
): string {
  const home = homeFolder(env)
  if (home !== undefined) return home
  problems.push({
    path,
    code: 'unresolved-variable',
    message: `"${keyOf(path)}" holds ${whole}, and this user has no home folder. Set HOME, or write the path itself.`,
  })
  return whole
}
