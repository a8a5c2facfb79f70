import { readFileSync } from 'node:fs'
import { TestRunner, type RunnerTask, type RunnerTestCase, type RunnerTestFile } from 'vitest'
import { newest, noPython } from './pythons'
import { pattern } from '../../pattern'

/** Files with no test that could do without. */
const all = pattern(
  /\/(programs|runtimes|core\/ported\/python)\/|/,
  /\/(fifoSources|sessionFiles|hostKilledInRescue|attach|why|cli\/rescue|realTerminal)\.test\.ts$/,
)
/** Programs under watch that are Node's. */
const none = '/programs/node.test.ts'
/** How the others start an interpreter, or say that they do. */
const some = /python|\.py\b|newest|Terminal\(|runProgram|runFixture|stubborn|where a process waits|a pool task with/i

/**
 * Skips what needs an interpreter where there is none, and gives the reason in the name of the test. A test of a file
 * that also has others is known by its name or its own lines; one that is not known fails, and so is seen.
 */
export default class PythonRunner extends TestRunner {
  declare onCollected?: (files: RunnerTestFile[]) => unknown

  /** Vitest reports the collected tests, then calls a runner's own `onCollected`: too late to name the skipped ones. */
  onBeforeCollect(): void {
    if (!noPython) return
    const report = this.onCollected
    this.onCollected = (files) => {
      for (const file of files) skipWithoutPython(file)
      return report?.call(this, files)
    }
  }
}

function skipWithoutPython(file: RunnerTestFile): void {
  const lines = readFileSync(file.filepath, 'utf8').split('\n')
  const starts = lineNumbers(file)
  const needsPython = (test: RunnerTestCase): boolean => {
    if (some.test(fullName(test))) return true
    const start = test.location?.line ?? 1
    return some.test(lines.slice(start - 1, (starts.find((line) => line > start) ?? lines.length + 1) - 1).join('\n'))
  }
  const whole = all.test(file.filepath) && !file.filepath.endsWith(none)
  skip(file, whole ? () => true : needsPython)
}

/** @returns whether anything is left to be run */
function skip(task: RunnerTask, needsPython: (test: RunnerTestCase) => boolean): boolean {
  if (task.mode === 'skip' || task.mode === 'todo') return false
  if (task.type === 'suite') {
    const left = task.tasks.map((one) => skip(one, needsPython))
    if (!left.includes(true)) task.mode = 'skip'
    return task.mode !== 'skip'
  }
  if (!needsPython(task)) return true
  task.mode = 'skip'
  task.name += ` (skipped: ${newest.missing ?? ''})`
  return false
}

/** Of all suites and tests, in ascending order: a test's own lines end where the next one begins. */
function lineNumbers(task: RunnerTask): number[] {
  const own = task.location === undefined ? [] : [task.location.line]
  return [...own, ...(task.type === 'suite' ? task.tasks.flatMap(lineNumbers) : [])].sort((one, other) => one - other)
}

function fullName(task: RunnerTask): string {
  return `${task.suite === undefined ? '' : fullName(task.suite)} ${task.name}`
}
