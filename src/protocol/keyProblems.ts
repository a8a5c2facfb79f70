import { closest } from './closest'
import { poolTaskKeys } from './definition'
import type { DefinitionProblem } from './definitionProblem'

/** Keys that VS Code itself reads from a task of any type. */
const editorKeys = new Set([
  'type',
  'label',
  'taskName',
  'identifier',
  'group',
  'presentation',
  'problemMatcher',
  'dependsOn',
  'dependsOrder',
  'detail',
  'icon',
  'hide',
  'isBackground',
  'runOptions',
  'promptOnClose',
  'windows',
  'linux',
  'osx',
  'inputs',
  '$schema',
])

/** Keys that people expect from other task types, with what to write here. */
const insteadOf: Readonly<Record<string, string>> = {
  args: 'Write the arguments into "command": ["program", "argument", "${item}"].',
  options: 'Write "cwd" and "env" directly into the task.',
  script: 'Write "command" (a program), "module" (a JavaScript file) or "python" (a Python module).',
  workers: 'Write "processes".',
  concurrency: 'Write "processes".',
  timeout: 'Write "timeoutMs", in milliseconds.',
}

/** Keys that a pool task does not have, each with the key to write instead. */
export function keyProblems(given: Record<string, unknown>): DefinitionProblem[] {
  const problems: DefinitionProblem[] = []
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(poolTaskKeys, key) || editorKeys.has(key)) continue
    const advice = Object.hasOwn(insteadOf, key) ? insteadOf[key] : undefined
    const meant = closest(key, Object.keys(poolTaskKeys))
    problems.push({
      path: [key],
      code: 'unknown-key',
      message: `"${key}" is no key of a pool task. ${advice ?? (meant === undefined ? 'Remove it.' : `Did you mean "${meant}"?`)}`,
    })
  }
  return problems
}
