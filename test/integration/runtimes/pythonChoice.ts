/** An interpreter that the tests run, or the place of one that is not here. */
export interface Python {
  /** `3.13` */
  readonly version: string
  readonly path: string
  /** Why there is none: its tests are skipped, and named with this. */
  readonly missing?: string
}

export interface PythonChoice {
  /** Each version that Unhang supports; never empty. */
  readonly every: readonly Python[]
  /** For whatever holds in between when it holds for both; never empty. */
  readonly oldestAndNewest: readonly Python[]
  /** For whatever does not depend on the version. */
  readonly newest: Python
}

/** What Unhang is tested with when all are installed; newer ones are taken when they are found. */
const known = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13']
/** A path that is no program, so that a test which is not skipped fails and says so. */
const nowhere = '/no/python/was/found'

/**
 * Chooses the interpreters of the matrices.
 * @param found one for each version, in any order; versions before 3.8 are passed over
 * @param wanted `newest` for a quick run: the rest is then left out on purpose, and not named
 */
export function choosePythons(found: readonly Python[], wanted: 'all' | 'newest' = 'all'): PythonChoice {
  const here = found.filter(({ version }) => minor(version) >= 8).sort(byVersion)
  const [oldest, newest] = [here[0], here.at(-1)]
  if (oldest === undefined || newest === undefined) {
    const none = absent('3', 'no Python from 3.8 on was found')
    return { every: [none], oldestAndNewest: [none], newest: none }
  }
  if (wanted === 'newest') return { every: [newest], oldestAndNewest: [newest], newest }
  const lacking = known
    .filter((version) => !here.some((one) => one.version === version))
    .map((version) => absent(version, `no Python ${version} was found`))
  return {
    every: [...here, ...lacking].sort(byVersion),
    oldestAndNewest:
      here.length > 1
        ? [oldest, newest]
        : [newest, absent('of another version', `only Python ${newest.version} was found`)],
    newest,
  }
}

function absent(version: string, missing: string): Python {
  return { version, path: nowhere, missing }
}

/** -1 for what is no Python 3. */
function minor(version: string): number {
  return Number(/^3\.(\d+)$/.exec(version)?.[1] ?? -1)
}

function byVersion(one: Python, other: Python): number {
  return minor(one.version) - minor(other.version)
}
