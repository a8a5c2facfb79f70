import { fileURLToPath } from 'node:url'
import { describe, inject, it } from 'vitest'
import { choosePythons, type Python } from './pythonChoice'

export type { Python } from './pythonChoice'

/** The worker as it is in the sources; dist/ has a copy. */
export const workerPath = fileURLToPath(new URL('../../../src/runtimes/python/worker.py', import.meta.url))
export const fixtures = fileURLToPath(new URL('../../fixtures/python/', import.meta.url))

const { found, wanted } = inject('pythons')
const choice = choosePythons(found, wanted)
/** Each version that is here, and the places of those that are not; {@link describePythons} skips these by name. */
export const everyPython = choice.every
/** What holds for both holds for those in between. */
export const oldestAndNewest = choice.oldestAndNewest
/** For what does not depend on the version; `missing` without any Python. */
export const newest = choice.newest
/** The ways in which Python starts a process; one in a quick run. */
export const startMethods = wanted === 'newest' ? (['fork'] as const) : (['fork', 'spawn', 'forkserver'] as const)
/** No Python from 3.8 on is here. */
export const noPython = newest.missing !== undefined

/**
 * A suite for each of these interpreters; one that is missing is skipped with all its tests, and named with the reason.
 * @param title with `$version` in it
 * @param body must not run the interpreter while tests are collected
 */
export function describePythons(
  pythons: readonly Python[],
  title: string,
  body: (python: Python) => void,
  options: { concurrent?: boolean; retry?: number } = {},
): void {
  for (const python of pythons) {
    const name = title.replace('$version', python.version)
    const suite = (): void => {
      body(python)
    }
    if (python.missing === undefined) describe(name, options, suite)
    // `skip: false` in the options would be passed down, over what a test itself says.
    else describe.skip(`${name} (skipped: ${python.missing})`, options, suite)
  }
}

const tooOld = found.filter(({ version }) => ['2.7', '3.6', '3.7'].includes(version))

/**
 * A test of the interpreters that are too old for Unhang; without one it is skipped, and named with the reason.
 * @param body gets at least one
 */
export function itWithPythonTooOld(
  title: string,
  body: (pythons: readonly [Python, ...Python[]]) => Promise<void>,
): void {
  const [first, ...others] = tooOld
  if (first === undefined) it.skip(`${title} (skipped: no Python before 3.8 was found)`)
  else it(title, () => body([first, ...others]))
}
