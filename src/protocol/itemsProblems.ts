import * as z from 'zod'
import { didYouMean } from './closest'
import { itemsSchema } from './definition'
import { shown, type DefinitionProblem } from './definitionProblem'
import { valueProblems } from './valueProblems'

const itemsAdvice = 'Write an array, or an object with exactly one of "glob", "lines", "json" and "range"'

/** Problems of the value of `items`. */
export function itemsProblems(items: unknown): DefinitionProblem[] {
  if (Array.isArray(items)) return []
  if (typeof items !== 'object' || items === null) {
    return [{ path: ['items'], code: 'wrong-type', message: `"items" is ${shown(items)}. ${itemsAdvice}.` }]
  }
  const sources = itemsSchema.options.flatMap((option) =>
    option instanceof z.ZodObject ? Object.entries<z.ZodType>(option.shape) : [],
  )
  const known = new Map(sources)
  const keys = Object.keys(items)
  const unknown = keys.filter((key) => !known.has(key))
  if (unknown.length > 0) {
    return unknown.map((key) => ({
      path: ['items', key],
      code: 'unknown-key',
      message: `"items.${key}" is no source of items. ${didYouMean(key, known.keys(), `${itemsAdvice}.`)}`,
    }))
  }
  const [key, other] = keys
  if (key === undefined)
    return [{ path: ['items'], code: 'missing', message: `"items" is an empty object. ${itemsAdvice}.` }]
  if (other !== undefined)
    return [
      {
        path: ['items', other],
        code: 'conflict',
        message: `"items.${key}" and "items.${other}" exclude each other. Keep one of them.`,
      },
    ]
  const value = (items as Record<string, unknown>)[key]
  if (key === 'range') return rangeProblems(value)
  const schema = known.get(key)
  return schema ? valueProblems(schema, value, ['items', key]) : []
}

function rangeProblems(range: unknown): DefinitionProblem[] {
  const path = ['items', 'range']
  if (
    !Array.isArray(range) ||
    range.length < 2 ||
    range.length > 3 ||
    !range.every((part) => typeof part === 'number')
  ) {
    return [
      {
        path,
        code: 'wrong-type',
        message: `"items.range" is ${shown(range)}. Write two or three numbers, [start, end, step]: [0, 100, 10].`,
      },
    ]
  }
  const [start = 0, end = 0, step = 1] = range
  if (step === 0)
    return [
      {
        path: [...path, 2],
        code: 'out-of-range',
        message: '"items.range" has a step of 0 and would never end. Write a step above or below 0.',
      },
    ]
  if ((end - start) / step <= 0) {
    return [
      {
        path,
        code: 'out-of-range',
        message:
          `"items.range" from ${start} to ${end} by ${step} holds no number. Write an end ` +
          `${step > 0 ? 'above' : 'below'} ${start}, or ${step > 0 ? 'a negative' : 'a positive'} step.`,
      },
    ]
  }
  return []
}
