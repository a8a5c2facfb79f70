import type { TestProject } from 'vitest/node'
import { choosePythons } from './pythonChoice'
import { findPythons, type FoundPythons } from './findPythons'

declare module 'vitest' {
  interface ProvidedContext {
    pythons: FoundPythons
  }
}

/** Looks for interpreters once for all files of a project. */
export default function setup(project: TestProject): void {
  const pythons = findPythons()
  project.provide('pythons', pythons)
  const { every } = choosePythons(pythons.found, pythons.wanted)
  const here = every.filter(({ missing }) => missing === undefined).map(({ version }) => version)
  console.log(`${project.name}: Python ${here.length > 0 ? here.join(', ') : '(none: its tests are skipped)'}`)
}
