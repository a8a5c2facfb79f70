import { poolTaskKeys } from './definition'
import { shown, type DefinitionProblem } from './definitionProblem'
import { expectation, valueProblems } from './valueProblems'

/** `till.py` could be the module `py` of a package, but its author means the file. */
function isPythonName(text: string): boolean {
  return pythonName.test(text) && !/\.py(?::|$)/.test(text)
}

const pythonName = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*(?::[\p{L}_][\p{L}\p{N}_]*)?$/u

/** Why the value of `python` names no function of a module. */
export function pythonProblems(python: unknown): DefinitionProblem[] {
  const problems = valueProblems(poolTaskKeys.python, python, ['python'])
  // The value of a variable is not known yet.
  if (problems.length > 0 || typeof python !== 'string' || isPythonName(python) || python.includes('${'))
    return problems
  const imported = importedName(python)
  const advice =
    imported === undefined
      ? `Write ${expectation(['python'])}`
      : `Write it as it is imported, from the folder that is "cwd": "${imported}"`
  return [
    {
      path: ['python'],
      code: 'out-of-range',
      message: `"python" is ${shown(python)}, which names no module of Python. ${advice}.`,
    },
  ]
}

/** The module that a path stands for: `./shop/till.py:total`, `shop/till#total` → `shop.till:total`. */
function importedName(path: string): string | undefined {
  const [file = '', name] = path.split(/[:#]/)
  const dotted = file
    .replace(/^(?:\.\/)+/, '')
    .replace(/(?:\/__init__)?\.py$/, '')
    .replaceAll(/[\\/]/g, '.')
  const imported = name === undefined || name === '' ? `${dotted}:function` : `${dotted}:${name.replace(/\(.*\)$/, '')}`
  return pythonName.test(imported) ? imported : undefined
}
