import type * as z from 'zod'
import { didYouMean } from './closest'
import { shown, type DefinitionProblem } from './definitionProblem'
import { terminationSchema } from './termination'
import { valueProblems } from './valueProblems'

/** Problems of the value of `termination`. */
export function terminationProblems(termination: unknown): DefinitionProblem[] {
  if (typeof termination !== 'object' || termination === null || Array.isArray(termination)) {
    return [
      {
        path: ['termination'],
        code: 'wrong-type',
        message:
          `"termination" is ${shown(termination)}. Write an object: { "platform": "slurm", "save": "./save.sh" }, ` +
          'or {} to take everything from the platform.',
      },
    ]
  }
  const known = new Map(Object.entries<z.ZodType>(terminationSchema.shape))
  return Object.entries(termination).flatMap(([key, value]) => {
    const path = ['termination', key]
    const schema = known.get(key)
    if (schema) return value === undefined ? [] : valueProblems(schema, value, path)
    const all = `There are ${[...known.keys()].map((one) => `"${one}"`).join(', ')}.`
    return [
      {
        path,
        code: 'unknown-key' as const,
        message: `"termination.${key}" is no key of "termination". ${didYouMean(key, known.keys(), all)}`,
      },
    ]
  })
}
