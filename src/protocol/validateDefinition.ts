import { poolDefinitionSchema, poolTaskKeys, type PoolDefinition, type PoolTaskKey } from './definition'
import { shown, type DefinitionProblem } from './definitionProblem'
import { itemsProblems } from './itemsProblems'
import { keyProblems } from './keyProblems'
import { programProblems } from './programProblems'
import { pythonProblems } from './pythonProblems'
import { terminationProblems } from './terminationProblems'
import { valueProblems } from './valueProblems'

/** The definition, or all its problems. */
export type Validated =
  | { readonly ok: true; readonly definition: PoolDefinition }
  | { readonly ok: false; readonly problems: DefinitionProblem[] }

/** Checks the definition alone; files, folders and programs are checked by the host at launch. */
export function validateDefinition(definition: unknown): Validated {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) {
    return {
      ok: false,
      problems: [
        {
          path: [],
          code: 'wrong-type',
          message:
            'A pool task is an object with "command", "module" or "python", and "items"; this is ' +
            `${shown(definition)}.`,
        },
      ],
    }
  }
  const given = definition as Record<string, unknown>
  const problems = [...keyProblems(given), ...programProblems(given)]
  for (const key of Object.keys(poolTaskKeys) as PoolTaskKey[]) {
    if (given[key] === undefined) continue
    problems.push(...problemsOf(key, given[key]))
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, definition: poolDefinitionSchema.parse(given) }
}

function problemsOf(key: PoolTaskKey, value: unknown): DefinitionProblem[] {
  switch (key) {
    case 'items':
      return itemsProblems(value)
    case 'termination':
      return terminationProblems(value)
    case 'python':
      return pythonProblems(value)
    default:
      return valueProblems(poolTaskKeys[key], value, [key])
  }
}
