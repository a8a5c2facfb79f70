import { BaseSequencer } from 'vitest/node'

/**
 * The longest files by the last whole run, in seconds. A file of two minutes that begins last would end the run alone.
 * @type {Record<string, number>}
 */
const seconds = {
  'shutdown/nextLine/nextLine': 120,
  'runtimes/observer/unchanged': 100,
  'programs/node': 95,
  'programs/libraries': 95,
  'hostile/stoppedHost': 83,
  'programs/verdicts': 80,
  'shutdown/nextLine/otherWays': 75,
  'cli/rescue': 62,
  'hostile/containerLike': 61,
  'cli/run': 60,
  'runtimes/observer/cpython': 50,
  'runtimes/observer/snapshot': 42,
}

/** The long files of the integration tests first, the others as vitest sorts them. */
export class SlowestFirst extends BaseSequencer {
  /** @override @param {import('vitest/node').TestSpecification[]} files */
  async sort(files) {
    const sorted = await super.sort(files)
    return sorted
      .map((file, index) => ({ file, index, seconds: secondsOf(file.moduleId) }))
      .sort((one, other) => other.seconds - one.seconds || one.index - other.index)
      .map(({ file }) => file)
  }
}

/** @param {string} path */
function secondsOf(path) {
  return seconds[/\/test\/integration\/(.*)\.test\.ts$/.exec(path)?.[1] ?? ''] ?? 0
}
