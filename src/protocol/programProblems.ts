import { programKeys } from './definition'
import type { DefinitionProblem } from './definitionProblem'

/** Contradictions between keys: there is exactly one program, and some keys make sense for one kind of it alone. */
export function programProblems(given: Record<string, unknown>): DefinitionProblem[] {
  const problems: DefinitionProblem[] = []
  const programs = programKeys.filter((key) => given[key] !== undefined)
  const [first, second] = programs
  if (first !== undefined && second !== undefined) {
    problems.push({
      path: [second],
      code: 'conflict',
      message: `"${first}" and "${second}" exclude each other. Keep the one that runs the tasks.`,
    })
  }
  if (first === undefined) {
    problems.push({
      path: [],
      code: 'missing',
      message:
        'Nothing to run: write "command": ["program", "${item}"], "module": "./file.js#export", "python": ' +
        '"package.module:function" or "program": ["python3", "train.py"].',
    })
  }
  if (first === 'program') return [...problems, ...meaninglessFor(given)]
  if (given.recordArguments !== undefined && first !== undefined) {
    problems.push({
      path: ['recordArguments'],
      code: 'conflict',
      message: `"recordArguments" means nothing with "${first}": it is about the tasks of a "program". Remove it.`,
    })
  }
  if (given.items === undefined) {
    problems.push({
      path: [],
      code: 'missing',
      message:
        '"items" is missing: write an array, { "glob": "src/**/*.js" }, { "lines": "file.txt" }, { "json": ' +
        '"file.json" } or { "range": [0, 10] }.',
    })
  }
  if (given.pythonPath !== undefined && first !== undefined && given.python === undefined) {
    problems.push({
      path: ['pythonPath'],
      code: 'conflict',
      message: `"pythonPath" means nothing with "${first}": it is the interpreter of "python". Remove it.`,
    })
  }
  if (given.command === undefined) return problems
  for (const key of ['maxTasksPerChild', 'maxMemoryPerChildMb', 'chunkSize'] as const) {
    if (given[key] === undefined) continue
    problems.push({
      path: [key],
      code: 'conflict',
      message: `"${key}" means nothing with "command": each task is a fresh process. Remove it.`,
    })
  }
  return problems
}

/** A program decides itself what it runs, in which workers, and how often. */
function meaninglessFor(given: Record<string, unknown>): DefinitionProblem[] {
  const ofOurPools = [
    'items',
    'processes',
    'chunkSize',
    'maxTasksPerChild',
    'maxMemoryPerChildMb',
    'timeoutMs',
    'retries',
    'onFailure',
    'pythonPath',
    'termination',
  ] as const
  return ofOurPools
    .filter((key) => given[key] !== undefined)
    .map((key) => ({
      path: [key],
      code: 'conflict',
      message: `"${key}" means nothing with "program": a program makes its pools itself. Remove it.`,
    }))
}
