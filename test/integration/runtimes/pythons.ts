import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Python {
  /** `3.13` */
  readonly version: string
  readonly path: string
}

/** The worker as it is in the sources; dist/ has a copy. */
export const workerPath = fileURLToPath(new URL('../../../src/runtimes/python/worker.py', import.meta.url))
export const fixtures = fileURLToPath(new URL('../../fixtures/python/', import.meta.url))

const supported = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13']

/** One interpreter for each version that is here, pyenv's and the one on PATH. */
function findPythons(): Python[] {
  const versions = join(homedir(), '.pyenv', 'versions')
  const installed = existsSync(versions)
    ? readdirSync(versions).map((name) => join(versions, name, 'bin', 'python3'))
    : []
  const found = new Map<string, string>()
  for (const candidate of [...installed, 'python3']) {
    try {
      const [version = '', path = ''] = execFileSync(
        candidate,
        ['-c', 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)'],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      ).split('\n')
      if (supported.includes(version) && !found.has(version)) found.set(version, path)
    } catch {
      // Not this one.
    }
  }
  return supported.flatMap((version) => {
    const path = found.get(version)
    return path === undefined ? [] : [{ version, path }]
  })
}

export const pythons = findPythons()
/** For what does not depend on the version. */
export const newest = pythons.at(-1)!
if (pythons.length === 0)
  throw new Error('These tests need a Python from 3.8 to 3.13: on PATH, or under ~/.pyenv/versions.')
console.log(`Python workers are tested with ${pythons.map(({ version }) => version).join(', ')}`)

/** Interpreters that are too old, where there are some. */
export function pythonsTooOld(): Python[] {
  return ['2.7.18', '3.6.15', '3.7.16']
    .map((release) => ({
      version: release.replace(/\.\d+$/, ''),
      path: join(homedir(), '.pyenv', 'versions', release, 'bin', 'python'),
    }))
    .filter(({ path }) => existsSync(path))
}

/** The first of them. */
export function tooOld(): string | undefined {
  return pythonsTooOld()[0]?.path
}
