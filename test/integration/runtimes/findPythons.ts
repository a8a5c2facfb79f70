import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Python } from './pythonChoice'

/** What the tests may run, and what was asked for. */
export interface FoundPythons {
  /** One interpreter for each version, also for those before 3.8. */
  readonly found: readonly Python[]
  readonly wanted: 'all' | 'newest'
}

const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
/** pyenv's versions are there for a user who has pyenv on PATH, whichever of them its `python3` is just now. */
const pyenvVersions = folders.some((folder) => existsSync(join(folder, 'pyenv')))
  ? join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions')
  : undefined

/**
 * Looks for interpreters: those of pyenv and those on PATH, or what `UNHANG_PYTHONS` names (`all`, which is the
 * default, `newest`, or paths of interpreters with colons between them, as in PATH).
 */
export function findPythons(): FoundPythons {
  const asked = process.env.UNHANG_PYTHONS ?? 'all'
  const found = new Map<string, string>()
  for (const candidate of candidates(asked)) {
    try {
      const [version = '', path = ''] = execFileSync(
        candidate,
        ['-c', 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)'],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      ).split('\n')
      if (!found.has(version)) found.set(version, path)
    } catch {
      // A shim of pyenv without a version behind it, or no program at all.
    }
  }
  return {
    found: [...found].map(([version, path]) => ({ version, path })),
    wanted: asked === 'newest' ? 'newest' : 'all',
  }
}

function candidates(asked: string): string[] {
  if (asked !== 'all' && asked !== 'newest') return asked.split(delimiter)
  const ofPyenv =
    pyenvVersions !== undefined && existsSync(pyenvVersions)
      ? readdirSync(pyenvVersions).map((name) => join(pyenvVersions, name, 'bin', 'python'))
      : []
  const onPath = folders
    .filter((folder) => existsSync(folder) && !(pyenvVersions !== undefined && folder.endsWith('shims')))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^python3(\.\d+)?$|^python2$/.test(name))
        .map((name) => join(folder, name)),
    )
  return [...ofPyenv, ...onPath]
}
